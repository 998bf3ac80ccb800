// SPDX-License-Identifier: Apache-2.0

// PullImage: the signed digest is pulled, whatever the registry's tag points to
// (proxy/RULES.md#pullimage).

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/pinned_pull.h"
#include "proxy/runtime/call_context.h"

namespace crivet::proxy {
namespace {

// The runtime pulls by the name itself, and gives it: what crivet kept for it is older.
Task<grpc::Status> PullByName(GateCall& call, const trust::ImageReference& reference,
                              const std::string& name, const cri::PullImageRequest& request,
                              cri::PullImageResponse& response) {
  grpc::Status status = co_await PullAs(call, name, request, response);
  if (!status.ok() || !call.parts().images.translates()) co_return status;
  auto hold = co_await call.parts().tag_locks.Acquire(reference.Canonical());
  LogUnlessDone(call, call.parts().images.ForgetKept(reference));
  co_return status;
}

// Audit mode: nothing is rewritten, and what the registry gave is compared with what is signed.
Task<grpc::Status> PullUntouched(GateCall& call, const trust::ImageReference& reference,
                                 const Judgement& judgement, const cri::PullImageRequest& request,
                                 cri::PullImageResponse& response) {
  grpc::Status status =
      co_await PullByName(call, reference, request.image().image(), request, response);
  GateCall::AuditFacts facts;
  if (const auto* allow = judgement.allow()) facts.would_pin = allow->digest;
  if (status.ok() && facts.would_pin) {
    auto pulled = co_await call.parts().images.PulledDigests(reference);
    if (pulled && !pulled->empty()) {
      facts.moved = std::find(pulled->begin(), pulled->end(), *facts.would_pin) == pulled->end();
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
  call.parts().absent_once.Forget(reference->Canonical());

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
  co_return co_await PullByName(call, *reference, judgement.canonical, request, response);
}

}  // namespace crivet::proxy
