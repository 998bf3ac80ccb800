// SPDX-License-Identifier: Apache-2.0

// ListImages, StreamImages and RemoveImage pass the gate only where the runtime has no images API
// of its own: the tags that it was not able to take are shown and removed here
// (proxy/RULES.md#the-tag).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/gate/gate_call.h"
#include "proxy/runtime/call_context.h"

namespace crivet::proxy {

namespace {

// Asked beforehand: what is gone afterwards cannot be asked for its names.
Task<cri::Image> ImageOf(GateCall& call, const std::string& name_or_id) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(name_or_id);
  cri::ImageStatusResponse response;
  auto context = SideContext(call.downstream());
  co_await call.parts().upstream.ImageStatus(*context, request, response);
  co_return response.image();
}

}  // namespace

Task<grpc::Status> AnswerListImages(GateCall& call, const cri::ListImagesRequest& request,
                                    cri::ListImagesResponse& response) {
  RuntimeImages& images = call.parts().images;
  const auto kept = images.KeptFor(request.filter().image().image());
  cri::ListImagesRequest translated = request;
  if (kept) translated.mutable_filter()->mutable_image()->set_image(kept->pinned);
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.ListImages(*context, translated, response);
  if (kept && status.ok() && response.images().empty()) {
    LogUnlessDone(call, images.ForgetKept(*kept));
    context = RelayContext(call.downstream());
    status = co_await call.parts().upstream.ListImages(*context, request, response);
  }
  CarryBack(*context, call.downstream());
  if (status.ok()) {
    for (auto& image : *response.mutable_images()) {
      co_await images.TranslateTags(call.downstream(), image);
    }
  }
  co_return status;
}

Task<grpc::Status> AnswerStreamImages(GateCall& call, const cri::StreamImagesRequest& request,
                                      const SendImages& send) {
  RuntimeImages& images = call.parts().images;
  std::unique_ptr<grpc::ClientContext> context;
  bool sent = false;
  const auto each = [&](cri::StreamImagesResponse& message) -> Task<bool> {
    for (auto& image : *message.mutable_images()) {
      co_await images.TranslateTags(call.downstream(), image);
    }
    if (!std::exchange(sent, true)) CarryBackInitial(*context, call.downstream());
    co_return co_await send(message);
  };
  const auto kept = images.KeptFor(request.filter().image().image());
  cri::StreamImagesRequest translated = request;
  if (kept) translated.mutable_filter()->mutable_image()->set_image(kept->pinned);
  context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.StreamImages(*context, translated, each);
  if (kept && status.ok() && !sent) {
    LogUnlessDone(call, images.ForgetKept(*kept));
    context = RelayContext(call.downstream());
    status = co_await call.parts().upstream.StreamImages(*context, request, each);
  }
  if (!sent) CarryBackInitial(*context, call.downstream());
  CarryBackTrailing(*context, call.downstream());
  co_return status;
}

// A tag of crivet's keeping goes with its image, which goes with all of its names: so containerd
// removes. CRI-O would take away the one name that it was asked for, and leave the image by others
// that it gave it itself.
Task<grpc::Status> AnswerRemoveImage(GateCall& call, const cri::RemoveImageRequest& request,
                                     cri::RemoveImageResponse& response) {
  RuntimeImages& images = call.parts().images;
  const std::string written = request.image().image();
  std::vector<std::string> repo_digests;
  if (images.translates()) {
    auto image = co_await ImageOf(call, written);
    repo_digests.assign(image.repo_digests().begin(), image.repo_digests().end());
  }
  if (const auto kept = images.KeptFor(written)) {
    auto image = co_await ImageOf(call, kept->pinned);
    repo_digests.insert(repo_digests.end(), image.repo_digests().begin(),
                        image.repo_digests().end());
    if (!image.id().empty()) {
      cri::RemoveImageRequest by_id = request;
      by_id.mutable_image()->set_image(image.id());
      auto context = RelayContext(call.downstream());
      grpc::Status status = co_await call.parts().upstream.RemoveImage(*context, by_id, response);
      if (!status.ok()) co_return status;
    }
    LogUnlessDone(call, images.ForgetKept(*kept));
  }
  // The runtime may have had the name too, for the same image or an older one.
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.RemoveImage(*context, request, response);
  CarryBack(*context, call.downstream());
  co_await images.ForgetGone(repo_digests);
  co_return status;
}

}  // namespace crivet::proxy
