// RunPodSandbox: the runtime pulls its sandbox image itself, by tag, behind every gate; so what it
// will find there is judged, and put right, before it looks (DESIGN 3).

#include <chrono>
#include <utility>

#include "proxy/gate_call.h"
#include "proxy/pinned_pull.h"
#include "proxy/relay.h"
#include "proxy/sandbox_image.h"

namespace crivet::proxy {
namespace {

using trust::Reason;

Task<grpc::Status> Forward(GateCall& call, const cri::RunPodSandboxRequest& request,
                           cri::RunPodSandboxResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.RunPodSandbox(*context, request, response);
  call.parts().metrics.Observe(Phase::kUpstream, std::chrono::steady_clock::now() - begin);
  CarryBack(*context, call.downstream());
  co_return status;
}

// Asked each time: a millisecond beside the hundreds that a sandbox takes, and a runtime that came
// back with another configuration is never judged by its old one.
Task<tl::expected<std::string, grpc::Status>> SandboxImage(GateCall& call) {
  using Result = tl::expected<std::string, grpc::Status>;
  if (!call.settings().sandbox_image.empty()) co_return Result(call.settings().sandbox_image);
  cri::StatusRequest request;
  request.set_verbose(true);
  cri::StatusResponse response;
  auto context = SideContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.Status(*context, request, response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(SandboxImageOf(response).value_or(""));
}

// Makes the pinned pull and the tag that the runtime will look for.
Task<grpc::Status> PutRight(GateCall& call, const trust::ImageReference& reference,
                            const Judgement& judgement, const cri::RunPodSandboxRequest& request) {
  cri::PullImageRequest pull;
  pull.mutable_image()->set_image(reference.Canonical());
  *pull.mutable_sandbox_config() = request.config();
  cri::PullImageResponse pulled;
  co_return co_await PullPinned(call, reference, judgement, pull, pulled);
}

// What was allowed here before may be what a new pull cannot have now: a pod may restart while the
// trust server is away (DESIGN 3, vouched for).
Task<bool> IsVouchedFor(GateCall& call, const trust::ImageReference& reference,
                        const Target& target) {
  const auto* local = std::get_if<trust::Sha256Digest>(&target);
  if (local == nullptr) co_return false;
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = *local,
                           .credentials = std::nullopt,
                           .reach = trust::Question::Reach::kOffline};
  const std::string written = reference.Canonical();
  auto judgement = co_await call.Judge(std::move(question), written);
  if (judgement.allow() == nullptr) co_return false;
  call.Record(judgement);
  co_return true;
}

// The verdict is Allow, and says which content the runtime must find under the name.
Task<grpc::Status> MakePresent(GateCall& call, const trust::ImageReference& reference,
                               Judgement judgement, const Target& target,
                               const cri::RunPodSandboxRequest& request) {
  const trust::Sha256Digest digest = *judgement.allow()->digest;
  const auto* local = std::get_if<trust::Sha256Digest>(&target);
  if (local != nullptr && *local == digest) {
    call.Record(judgement);
    // It was pulled behind crivet, or before it came: from now on it may restart without a server.
    call.parts().decider.Remember(reference, judgement.decision);
    co_return grpc::Status::OK;
  }
  if (call.parts().images.translates()) {
    judgement = call.Refuse(std::move(judgement), Reason::kDigestMismatch,
                            "the sandbox image here is not the signed " + digest.ToString() +
                                ", and this runtime cannot be given it under its tag");
    call.Record(judgement);
    co_return judgement.ToStatus();
  }
  call.Record(judgement);
  co_return co_await PutRight(call, reference, judgement, request);
}

void RecordAudited(GateCall& call, const Judgement& judgement, const Target& target) {
  GateCall::AuditFacts facts;
  const auto* local = std::get_if<trust::Sha256Digest>(&target);
  if (const auto* allow = judgement.allow()) facts.would_pin = allow->digest;
  if (facts.would_pin && local != nullptr) facts.moved = *local != *facts.would_pin;
  call.Record(judgement, facts);
}

Task<grpc::Status> JudgeSandboxImage(GateCall& call, const std::string& name,
                                     const cri::RunPodSandboxRequest& request) {
  const auto reference = ReadName(name);
  if (!reference) {
    const Judgement judgement = call.JudgeText(name);
    call.Record(judgement);
    co_return judgement.Refuses() ? judgement.ToStatus() : grpc::Status::OK;
  }
  trust::Question question{.reference = *reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt};
  auto judgement = co_await call.Judge(std::move(question), name);
  if (judgement.allow() != nullptr && !judgement.allow()->digest) {
    call.Record(judgement);
    co_return grpc::Status::OK;
  }

  // The runtime goes by what CRI shows: a name that it does not show, it pulls.
  auto target = co_await call.parts().images.LocalDigest(call.downstream(), *reference);
  if (judgement.InAudit()) {
    RecordAudited(call, judgement, target);
    co_return grpc::Status::OK;
  }
  if (auto* failure = std::get_if<grpc::Status>(&target)) co_return *failure;
  if (judgement.allow() != nullptr) {
    co_return co_await MakePresent(call, *reference, std::move(judgement), target, request);
  }
  const bool vouched = co_await IsVouchedFor(call, *reference, target);
  if (vouched) co_return grpc::Status::OK;
  call.Record(judgement);
  co_return judgement.ToStatus();
}

}  // namespace

Task<grpc::Status> AnswerRunPodSandbox(GateCall& call, const cri::RunPodSandboxRequest& request,
                                       cri::RunPodSandboxResponse& response) {
  call.SetPod(request.config());
  auto name = co_await SandboxImage(call);
  if (!name) co_return name.error();
  if (name->empty()) {
    if (call.parts().metrics.CountUnjudgedSandbox()) {
      call.parts().log(
          "the runtime does not tell the name of its sandbox image, so that it is not judged: set "
          "[gate] sandbox_image");
    }
  } else {
    grpc::Status judged = co_await JudgeSandboxImage(call, *name, request);
    if (!judged.ok()) co_return judged;
  }
  co_return co_await Forward(call, request, response);
}

}  // namespace crivet::proxy
