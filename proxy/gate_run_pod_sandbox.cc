// RunPodSandbox: the runtime pulls its sandbox image itself, by tag, behind every gate; so what it
// will find there is judged, and put right, before it looks (DESIGN 3).

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

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

// What the runtime has under the name of its sandbox image.
using Local = std::vector<trust::Sha256Digest>;

bool Has(const Local& local, const trust::Sha256Digest& digest) {
  return std::find(local.begin(), local.end(), digest) != local.end();
}

// What was allowed here before may be what a new pull cannot have now: a pod may restart while the
// trust server is away (DESIGN 3, vouched for).
Task<bool> IsVouchedFor(GateCall& call, const trust::ImageReference& reference,
                        const Local& local) {
  const std::string written = reference.Canonical();
  for (const auto& digest : local) {
    trust::Question question{.reference = reference,
                             .pod_namespace = call.pod_namespace(),
                             .local = digest,
                             .credentials = std::nullopt,
                             .reach = trust::Question::Reach::kOffline};
    auto judgement = co_await call.Judge(std::move(question), written);
    if (judgement.allow() == nullptr) continue;
    call.Record(judgement);
    co_return true;
  }
  co_return false;
}

// A runtime that cannot be given a tag looks for its sandbox image by one all the same: so it pulls
// by that, which runs nothing, and may run what it got if that is what is signed.
Task<grpc::Status> PullByTag(GateCall& call, const trust::ImageReference& reference,
                             Judgement judgement, const cri::RunPodSandboxRequest& request) {
  cri::PullImageRequest pull;
  pull.mutable_image()->set_image(reference.Canonical());
  *pull.mutable_sandbox_config() = request.config();
  cri::PullImageResponse pulled;
  grpc::Status status = co_await Pull(call, pull, pulled);
  if (!status.ok()) {
    call.Record(judgement);
    co_return status;
  }
  auto local = co_await call.parts().images.LocalDigests(call.downstream(), reference);
  if (!local) co_return local.error();
  const trust::Sha256Digest digest = *judgement.allow()->digest;
  if (Has(*local, digest)) {
    call.Record(judgement);
    call.parts().decider.Remember(reference, judgement.decision);
    co_return grpc::Status::OK;
  }
  judgement = call.Refuse(std::move(judgement), Reason::kDigestMismatch,
                          "the registry has other content than the signed " + digest.ToString() +
                              " under this tag, by which the runtime takes its sandbox image: "
                              "name it by that digest in the runtime's configuration");
  call.Record(judgement);
  co_return judgement.ToStatus();
}

// The verdict is Allow, and says which content the runtime must find under the name.
Task<grpc::Status> MakePresent(GateCall& call, const trust::ImageReference& reference,
                               Judgement judgement, const Local& local,
                               const cri::RunPodSandboxRequest& request) {
  if (Has(local, *judgement.allow()->digest)) {
    call.Record(judgement);
    // It was pulled behind crivet, or before it came: from now on it may restart without a server.
    call.parts().decider.Remember(reference, judgement.decision);
    co_return grpc::Status::OK;
  }
  if (call.parts().images.translates() && !reference.digest()) {
    co_return co_await PullByTag(call, reference, std::move(judgement), request);
  }
  call.Record(judgement);
  co_return co_await PutRight(call, reference, judgement, request);
}

void RecordAudited(GateCall& call, const trust::ImageReference& reference,
                   const Judgement& judgement, const Local& local) {
  GateCall::AuditFacts facts;
  if (const auto* allow = judgement.allow()) facts.would_pin = allow->digest;
  if (facts.would_pin && !local.empty()) {
    facts.moved = !Has(local, *facts.would_pin);
    if (!*facts.moved) call.parts().decider.Remember(reference, judgement.decision);
  }
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
  auto local = co_await call.parts().images.LocalDigests(call.downstream(), *reference);
  if (judgement.InAudit()) {
    RecordAudited(call, *reference, judgement, local.value_or(Local()));
    co_return grpc::Status::OK;
  }
  if (!local) co_return local.error();
  if (judgement.allow() != nullptr) {
    co_return co_await MakePresent(call, *reference, std::move(judgement), *local, request);
  }
  const bool vouched = co_await IsVouchedFor(call, *reference, *local);
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
