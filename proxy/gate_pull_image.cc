// PullImage: the signed digest is pulled, whatever the registry's tag points to (DESIGN 3).

#include <string>
#include <utility>

#include "proxy/gate_call.h"
#include "proxy/pinned_pull.h"
#include "proxy/relay.h"

namespace crivet::proxy {
namespace {

// Audit mode: nothing is rewritten, and what the registry gave is compared with what is signed.
Task<grpc::Status> PullUntouched(GateCall& call, const trust::ImageReference& reference,
                                 const Judgement& judgement, const cri::PullImageRequest& request,
                                 cri::PullImageResponse& response) {
  grpc::Status status = co_await Pull(call, request, response);
  GateCall::AuditFacts facts;
  if (const auto* allow = judgement.allow()) facts.would_pin = allow->digest;
  if (status.ok() && facts.would_pin) {
    auto context = OwnContext(std::chrono::seconds(5));
    auto target = co_await call.parts().images.TargetOf(std::move(context), judgement.canonical);
    if (const auto* digest = std::get_if<trust::Sha256Digest>(&target)) {
      facts.moved = *digest != *facts.would_pin;
      if (!*facts.moved) call.parts().decider.Remember(reference, judgement.decision);
    }
  }
  call.Record(judgement, facts);
  co_return status;
}

}  // namespace

Task<grpc::Status> AnswerPullImage(GateCall& call, const cri::PullImageRequest& request,
                                   cri::PullImageResponse& response) {
  if (request.has_sandbox_config()) call.SetPod(request.sandbox_config());
  const std::string& written = request.image().image();
  const auto reference = ReadName(written);
  if (!reference) {
    const Judgement judgement = call.JudgeText(written);
    call.Record(judgement);
    if (judgement.Refuses()) co_return judgement.ToStatus();
    co_return co_await Pull(call, request, response);
  }
  // A pull carries the pod's namespace: whatever was to be healed is healed by it.
  call.parts().healing.Forget(reference->Canonical());

  auto question = PullQuestion(call, *reference, request);
  const auto judgement = co_await call.Judge(std::move(question), written);
  if (judgement.InAudit()) {
    co_return co_await PullUntouched(call, *reference, judgement, request, response);
  }
  call.Record(judgement);
  const trust::Allow* allow = judgement.allow();
  if (allow == nullptr) co_return judgement.ToStatus();
  if (allow->digest) {
    co_return co_await PullPinned(call, *reference, judgement, request, response);
  }
  co_return co_await PullAs(call, judgement.canonical, request, response);
}

}  // namespace crivet::proxy
