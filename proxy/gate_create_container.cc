// CreateContainer: the image and every image volume must be vouched for now (DESIGN 3).

#include <chrono>
#include <vector>

#include "proxy/gate_call.h"
#include "proxy/image_use.h"
#include "proxy/relay.h"

namespace crivet::proxy {

namespace {

Task<grpc::Status> JudgeSpec(GateCall& call, cri::ImageSpec& spec) {
  auto use = co_await JudgeImageUse(call, spec);
  if (!use) co_return use.error();
  if (!use->rewrite_to.empty()) spec.set_image(use->rewrite_to);
  if (spec.image_ref().empty() || spec.image_ref() == spec.image()) co_return grpc::Status::OK;

  // No runtime goes by `image_ref` yet; one that will must not find anything there unjudged.
  cri::ImageSpec by_ref = spec;
  by_ref.set_image(spec.image_ref());
  auto ref_use = co_await JudgeImageUse(call, by_ref);
  if (!ref_use) co_return ref_use.error();
  if (!ref_use->rewrite_to.empty()) spec.set_image_ref(ref_use->rewrite_to);
  co_return grpc::Status::OK;
}

}  // namespace

Task<grpc::Status> AnswerCreateContainer(GateCall& call, const cri::CreateContainerRequest& request,
                                         cri::CreateContainerResponse& response) {
  if (request.has_sandbox_config()) call.SetPod(request.sandbox_config());
  cri::CreateContainerRequest judged = request;
  auto& config = *judged.mutable_config();

  std::vector<cri::ImageSpec*> specs = {config.mutable_image()};
  for (auto& mount : *config.mutable_mounts()) {
    if (mount.has_image()) specs.push_back(mount.mutable_image());
  }
  for (cri::ImageSpec* spec : specs) {
    grpc::Status judgement = co_await JudgeSpec(call, *spec);
    if (!judgement.ok()) co_return judgement;
  }

  const auto begin = std::chrono::steady_clock::now();
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.CreateContainer(*context, judged, response);
  call.parts().metrics.Observe(Phase::kUpstream, std::chrono::steady_clock::now() - begin);
  CarryBack(*context, call.downstream());
  co_return status;
}

}  // namespace crivet::proxy
