// ImageStatus: a name is present only if what it holds here is vouched for (DESIGN 3), so that
// IfNotPresent, Never and preloaded images are judged like pulls.

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/gate_call.h"
#include "proxy/relay.h"
#include "proxy/tag_translation.h"

namespace crivet::proxy {
namespace {

Task<grpc::Status> Forward(GateCall& call, const cri::ImageStatusRequest& request,
                           cri::ImageStatusResponse& response) {
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.ImageStatus(*context, request, response);
  CarryBack(*context, call.downstream());
  RuntimeImages& images = call.parts().images;
  if (status.ok() && response.has_image() && images.translates()) {
    AddKeptTags(images.names(), *response.mutable_image());
  }
  co_return status;
}

std::string KeptNameOf(GateCall& call, const std::string& written) {
  RuntimeImages& images = call.parts().images;
  return images.translates() ? PinnedNameOf(images.names(), written) : std::string();
}

grpc::Status AnswerAbsent(cri::ImageStatusResponse& response) {
  response.Clear();
  return grpc::Status::OK;
}

}  // namespace

Task<grpc::Status> AnswerImageStatus(GateCall& call, const cri::ImageStatusRequest& request,
                                     cri::ImageStatusResponse& response) {
  const std::string& written = request.image().image();
  if (IsId(call, written)) co_return co_await Forward(call, request, response);
  const auto reference = ReadName(written);
  if (!reference) {
    const Judgement judgement = call.JudgeText(written);
    if (judgement.Refuses()) {
      call.Record(judgement);
      co_return AnswerAbsent(response);
    }
    co_return co_await Forward(call, request, response);
  }

  const auto rules = call.parts().decider.RulesFor(*reference);
  const bool audit_only = std::all_of(rules.begin(), rules.end(), [](const auto& applied) {
    return applied.rule->mode == trust::Mode::kAudit;
  });
  const std::string canonical = reference->Canonical();
  if (!audit_only && call.parts().healing.Take(canonical, std::chrono::steady_clock::now())) {
    co_return AnswerAbsent(response);
  }

  // Never as written: the runtime takes `sha256:3fa9c1` for the beginning of an image ID.
  cri::ImageStatusRequest by_name = request;
  if (!audit_only) by_name.mutable_image()->set_image(canonical);
  const std::string pinned = KeptNameOf(call, written);
  if (!pinned.empty()) by_name.mutable_image()->set_image(pinned);
  grpc::Status status = co_await Forward(call, by_name, response);
  if (!status.ok() || !response.has_image()) co_return status;

  auto target =
      co_await call.parts().images.LocalDigest(call.downstream(), *reference, response.image());
  const auto* local = std::get_if<trust::Sha256Digest>(&target);
  if (local == nullptr) {
    if (audit_only) co_return status;
    if (auto* failure = std::get_if<grpc::Status>(&target)) co_return *failure;
    co_return AnswerAbsent(response);
  }
  trust::Question question{.reference = *reference,
                           .pod_namespace = trust::AnyNamespace{},
                           .local = *local,
                           .credentials = std::nullopt};
  const auto judgement = co_await call.Judge(std::move(question), written);
  call.Record(judgement);
  if (judgement.Refuses()) co_return AnswerAbsent(response);
  co_return status;
}

}  // namespace crivet::proxy
