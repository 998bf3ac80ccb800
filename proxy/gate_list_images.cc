// ListImages and RemoveImage pass the gate only where the runtime has no images API of its own:
// the tags that it was not able to take are shown and removed here (DESIGN 3).

#include <utility>

#include "proxy/gate_call.h"
#include "proxy/image_names.h"
#include "proxy/relay.h"
#include "proxy/tag_translation.h"

namespace crivet::proxy {

Task<grpc::Status> AnswerListImages(GateCall& call, const cri::ListImagesRequest& request,
                                    cri::ListImagesResponse& response) {
  RuntimeImages& images = call.parts().images;
  cri::ListImagesRequest translated = request;
  const std::string pinned = KeptNameOf(images, request.filter().image().image());
  if (!pinned.empty()) translated.mutable_filter()->mutable_image()->set_image(pinned);
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.ListImages(*context, translated, response);
  CarryBack(*context, call.downstream());
  if (status.ok()) {
    for (auto& image : *response.mutable_images()) AddKeptTags(images, image);
  }
  co_return status;
}

Task<grpc::Status> AnswerRemoveImage(GateCall& call, const cri::RemoveImageRequest& request,
                                     cri::RemoveImageResponse& response) {
  RuntimeImages& images = call.parts().images;
  cri::RemoveImageRequest translated = request;
  const std::string written = request.image().image();
  const std::string pinned = KeptNameOf(images, written);
  if (!pinned.empty()) translated.mutable_image()->set_image(pinned);
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.RemoveImage(*context, translated, response);
  CarryBack(*context, call.downstream());
  if (status.ok() && !pinned.empty()) {
    // CRI removes an image with all of its names.
    for (const auto& tag : images.names().TagsOf(pinned)) {
      if (const auto removed = images.names().Remove(tag); !removed) {
        call.parts().log("cannot forget the name " + tag + ": " + removed.error().detail);
      }
    }
  }
  co_return status;
}

}  // namespace crivet::proxy
