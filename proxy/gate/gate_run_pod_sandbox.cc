// SPDX-License-Identifier: Apache-2.0

// RunPodSandbox: the runtime pulls its sandbox image itself, by tag, behind every gate; so what it
// will find there is judged, and put right, before it looks (proxy/RULES.md#runpodsandbox). The
// sandbox runs before the call is answered: so a name of crivet's own stands in front of the
// image's others beforehand, and what was made is looked at all the same.

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/judged_content.h"
#include "proxy/gate/pinned_pull.h"
#include "proxy/gate/sandbox_look.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/sandbox_image.h"

namespace crivet::proxy {
namespace {

using trust::Reason;

struct Forwarded {
  grpc::Status status;
  bool by_runtime = false;  // who sent the status
};

Task<Forwarded> Forward(GateCall& call, const cri::RunPodSandboxRequest& request,
                        cri::RunPodSandboxResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.RunPodSandbox(*context, request, response);
  call.parts().metrics.Observe(Phase::kUpstream, std::chrono::steady_clock::now() - begin);
  CarryBack(*context, call.downstream());
  const bool by_runtime = CameFromPeer(*context, status);
  co_return Forwarded{std::move(status), by_runtime};
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

// What the runtime has under the name of its sandbox image, as it showed it at one moment: a name
// that moves must not lend one image's manifest to the ID of another.
struct Local {
  std::string id;  // empty: nothing
  std::vector<trust::Sha256Digest> digests;
};

bool Has(const Local& local, const trust::Sha256Digest& digest) {
  return std::find(local.digests.begin(), local.digests.end(), digest) != local.digests.end();
}

Task<tl::expected<Local, grpc::Status>> LookUp(GateCall& call,
                                               const trust::ImageReference& reference) {
  using Result = tl::expected<Local, grpc::Status>;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(reference.Canonical());
  cri::ImageStatusResponse response;
  auto context = SideContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.ImageStatus(*context, request, response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  if (!response.has_image()) co_return Result(Local());
  auto digests =
      co_await call.parts().images.LocalDigests(call.downstream(), reference, response.image());
  if (!digests) co_return Result(tl::unexpect, std::move(digests.error()));
  co_return Result(Local{response.image().id(), *std::move(digests)});
}

// What was allowed here before may be what a new pull cannot have now: a pod may restart while the
// trust server is away (trust/RULES.md#vouched-for).
Task<std::optional<Judgement>> VouchedFor(GateCall& call, const trust::ImageReference& reference,
                                          const Local& local) {
  using Result = std::optional<Judgement>;
  const std::string written = reference.Canonical();
  for (const auto& digest : local.digests) {
    trust::Question question{.reference = reference,
                             .pod_namespace = call.pod_namespace(),
                             .local = digest,
                             .name_here = trust::NameHere::kIsThis,
                             .credentials = std::nullopt,
                             .reach = trust::Question::Reach::kOffline};
    auto judgement = co_await call.Judge(std::move(question), written);
    if (judgement.allow() == nullptr) continue;
    call.Record(judgement);
    co_return Result(std::move(judgement));
  }
  co_return Result();
}

// Whether only a registry could say what its tag is now.
bool IsRegistrysWord(const Judgement& judgement) {
  const auto& members = judgement.decision.applied.rule->members;
  const auto asks_names = [](const trust::Member& member) {
    return member.kind != nullptr && member.kind->asks() == trust::Kind::Asks::kNames;
  };
  return !members.empty() && std::all_of(members.begin(), members.end(), asks_names);
}

// Missing where no enforced rule judged it.
using Judged = tl::expected<std::optional<JudgedImage>, grpc::Status>;

// What the runtime will take for the name, once it has the content that was allowed. Without a
// digest there is nothing to name it by, and what is made of it is looked at all the same.
Task<Judged> Expect(GateCall& call, Judgement judgement, const Local& local,
                    const std::optional<trust::Sha256Digest>& digest) {
  grpc::Status able = co_await CanBeExamined(call, judgement);
  if (!able.ok()) co_return Judged(tl::unexpect, std::move(able));
  if (call.parts().images.translates()) co_return Judged(std::nullopt);
  if (local.id.empty()) {
    grpc::Status gone(grpc::NOT_FOUND, "the sandbox image " + judgement.canonical +
                                           " was removed while it was being used");
    co_return Judged(tl::unexpect, std::move(gone));
  }
  judgement.local = digest;
  JudgedImage judged{std::move(judgement), local.id, {}, {}};
  if (digest) judged.manifests.push_back(*digest);
  grpc::Status status = co_await PutOwnInFront(call, judged);
  if (!status.ok()) co_return Judged(tl::unexpect, std::move(status));
  co_return Judged(std::move(judged));
}

// What is here and vouched for, where it takes a registry to know more: no registry is asked for
// the image of every sandbox, and a node boots without one (trust/RULES.md#the-registrys-word).
Task<std::optional<Judged>> KnownHere(GateCall& call, const trust::ImageReference& reference) {
  using Result = std::optional<Judged>;
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt,
                           .reach = trust::Question::Reach::kOffline};
  const Judgement unasked = co_await call.Judge(std::move(question), reference.Canonical());
  if (unasked.InAudit() || !IsRegistrysWord(unasked)) co_return Result();
  auto local = co_await LookUp(call, reference);
  if (!local) co_return Result();
  auto vouched = co_await VouchedFor(call, reference, *local);
  if (!vouched) co_return Result();
  const trust::Sha256Digest digest = *vouched->local;
  co_return Result(co_await Expect(call, *std::move(vouched), *local, digest));
}

// A runtime that cannot be given a tag looks for its sandbox image by one all the same: so it pulls
// by that, which runs nothing, and may run what it got if that is what is signed.
Task<Judged> PullByTag(GateCall& call, const trust::ImageReference& reference, Judgement judgement,
                       const cri::RunPodSandboxRequest& request) {
  cri::PullImageRequest pull;
  pull.mutable_image()->set_image(reference.Canonical());
  *pull.mutable_sandbox_config() = request.config();
  cri::PullImageResponse pulled;
  grpc::Status status = co_await Pull(call, pull, pulled);
  if (!status.ok()) {
    call.Record(judgement);
    co_return Judged(tl::unexpect, std::move(status));
  }
  auto local = co_await LookUp(call, reference);
  if (!local) co_return Judged(tl::unexpect, std::move(local.error()));
  const trust::Sha256Digest digest = *judgement.allow()->digest;
  if (Has(*local, digest)) {
    call.Record(judgement);
    call.parts().decider.Remember(reference, judgement.decision);
    co_return co_await Expect(call, std::move(judgement), *local, digest);
  }
  judgement = call.Refuse(std::move(judgement), Reason::kDigestMismatch,
                          "the registry has other content than the signed " + digest.ToString() +
                              " under this tag, by which the runtime takes its sandbox image: "
                              "name it by that digest in the runtime's configuration");
  call.Record(judgement);
  co_return Judged(tl::unexpect, judgement.ToStatus());
}

// The verdict is Allow, and says which content the runtime must find under the name.
Task<Judged> MakePresent(GateCall& call, const trust::ImageReference& reference,
                         Judgement judgement, const Local& local,
                         const cri::RunPodSandboxRequest& request) {
  const trust::Sha256Digest digest = *judgement.allow()->digest;
  if (Has(local, digest)) {
    call.Record(judgement);
    // It was pulled behind crivet, or before it came: from now on it may restart without a server.
    call.parts().decider.Remember(reference, judgement.decision);
    co_return co_await Expect(call, std::move(judgement), local, digest);
  }
  if (call.parts().images.translates() && !reference.digest()) {
    co_return co_await PullByTag(call, reference, std::move(judgement), request);
  }
  call.Record(judgement);
  grpc::Status right = co_await PutRight(call, reference, judgement, request);
  if (!right.ok()) co_return Judged(tl::unexpect, std::move(right));
  auto put = co_await LookUp(call, reference);
  if (!put) co_return Judged(tl::unexpect, std::move(put.error()));
  // In translation it is not the runtime that has the name.
  if (!put->id.empty() && !call.parts().images.translates() && !Has(*put, digest)) {
    grpc::Status moved = RefuseContent(call, judgement, Reason::kDigestMismatch,
                                       "the name was given to other content while it was judged");
    co_return Judged(tl::unexpect, std::move(moved));
  }
  co_return co_await Expect(call, std::move(judgement), *put, digest);
}

// An `allow` rule pins nothing: it is whatever the name is here, and else what the runtime would
// pull.
Task<Judged> TakeAsItIs(GateCall& call, const trust::ImageReference& reference, Judgement judgement,
                        const cri::RunPodSandboxRequest& request) {
  call.Record(judgement);
  if (judgement.InAudit()) co_return Judged(std::nullopt);
  grpc::Status able = co_await CanBeExamined(call, judgement);
  if (!able.ok()) co_return Judged(tl::unexpect, std::move(able));
  if (call.parts().images.translates()) co_return Judged(std::nullopt);
  auto local = co_await LookUp(call, reference);
  if (local && local->id.empty()) {
    cri::PullImageRequest pull;
    pull.mutable_image()->set_image(judgement.canonical);
    *pull.mutable_sandbox_config() = request.config();
    cri::PullImageResponse pulled;
    grpc::Status status = co_await Pull(call, pull, pulled);
    if (!status.ok()) co_return Judged(tl::unexpect, std::move(status));
    local = co_await LookUp(call, reference);
  }
  if (!local) co_return Judged(tl::unexpect, std::move(local.error()));
  std::optional<trust::Sha256Digest> digest;
  if (!local->digests.empty()) digest = local->digests.front();
  co_return co_await Expect(call, std::move(judgement), *local, digest);
}

void RecordAudited(GateCall& call, const trust::ImageReference& reference,
                   const Judgement& judgement, const Local& local) {
  GateCall::AuditFacts facts;
  if (const auto* allow = judgement.allow()) facts.would_pin = allow->digest;
  if (facts.would_pin && !local.digests.empty()) {
    facts.moved = !Has(local, *facts.would_pin);
    if (!*facts.moved) call.parts().decider.Remember(reference, judgement.decision);
  }
  call.Record(judgement, facts);
}

// What is not trusted any more keeps no name of crivet's own.
Task<Done> WithdrawOwn(GateCall& call, const trust::ImageReference& reference) {
  if (call.parts().images.translates()) co_return Done{};
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(reference.Canonical());
  cri::ImageStatusResponse response;
  auto context = SideContext(call.downstream());
  const grpc::Status status =
      co_await call.parts().upstream.ImageStatus(*context, request, response);
  if (!status.ok() || !response.has_image()) co_return Done{};
  co_return co_await call.parts().own_references.Withdraw(reference, response.image());
}

Task<Judged> JudgeSandboxImage(GateCall& call, const std::string& name,
                               const cri::RunPodSandboxRequest& request) {
  const auto reference = ReadName(name);
  if (!reference) {
    const Judgement judgement = call.JudgeText(name);
    call.Record(judgement);
    if (judgement.Refuses()) co_return Judged(tl::unexpect, judgement.ToStatus());
    co_return Judged(std::nullopt);
  }
  if (auto known = co_await KnownHere(call, *reference)) co_return *std::move(known);
  trust::Question question{.reference = *reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt};
  auto judgement = co_await call.Judge(std::move(question), name);
  if (judgement.allow() != nullptr && !judgement.allow()->digest) {
    co_return co_await TakeAsItIs(call, *reference, std::move(judgement), request);
  }

  // The runtime goes by what CRI shows: a name that it does not show, it pulls.
  auto local = co_await LookUp(call, *reference);
  if (judgement.InAudit()) {
    RecordAudited(call, *reference, judgement, local.value_or(Local()));
    co_return Judged(std::nullopt);
  }
  if (!local) co_return Judged(tl::unexpect, std::move(local.error()));
  if (judgement.allow() != nullptr) {
    co_return co_await MakePresent(call, *reference, std::move(judgement), *local, request);
  }
  auto vouched = co_await VouchedFor(call, *reference, *local);
  if (vouched) {
    const trust::Sha256Digest digest = *vouched->local;
    co_return co_await Expect(call, *std::move(vouched), *local, digest);
  }
  call.Record(judgement);
  if (judgement.Denies()) co_await WithdrawOwn(call, *reference);
  co_return Judged(tl::unexpect, judgement.ToStatus());
}

// Whether the runtime itself has refused, and made nothing. Where it was told to stop, or is gone,
// it may have all the same.
bool MadeNothing(const Forwarded& forwarded) {
  const grpc::StatusCode code = forwarded.status.error_code();
  return forwarded.by_runtime && code != grpc::CANCELLED && code != grpc::DEADLINE_EXCEEDED &&
         code != grpc::UNAVAILABLE;
}

// It runs as soon as it is made: so it is written down before, and stays so until it was looked at.
Task<grpc::Status> RunAndLook(GateCall& call, const cri::RunPodSandboxRequest& request,
                              const JudgedImage& judged, cri::RunPodSandboxResponse& response) {
  const std::string& image = judged.judgement.canonical;
  auto unseen =
      call.parts().unseen_sandboxes.Expect(KeyOf(request.config().metadata()), image, judged.id);
  auto forwarded = co_await Forward(call, request, response);
  if (!forwarded.status.ok()) {
    if (MadeNothing(forwarded)) unseen.Settle();
    co_return forwarded.status;
  }
  const std::string id = response.pod_sandbox_id();
  const UnseenSandboxes::Expected expected{image, {judged.id}};
  SandboxLook look = co_await LookAtSandbox(call.parts(), id, expected);
  if (look.settled) unseen.Settle();
  if (!look.problem) co_return grpc::Status::OK;
  response.Clear();
  // The audit line says that it ran.
  co_return RefuseContent(call, judged.judgement, look.problem->reason,
                          std::move(look.problem->found));
}

}  // namespace

Task<grpc::Status> AnswerRunPodSandbox(GateCall& call, const cri::RunPodSandboxRequest& request,
                                       cri::RunPodSandboxResponse& response) {
  call.SetPod(request.config());
  std::optional<JudgedImage> expected;
  auto name = co_await SandboxImage(call);
  if (!name) co_return name.error();
  if (name->empty()) {
    if (call.parts().metrics.CountUnjudgedSandbox()) {
      call.parts().log(
          "the runtime does not tell the name of its sandbox image, so that it is not judged: set "
          "[gate] sandbox_image");
    }
  } else {
    auto judged = co_await JudgeSandboxImage(call, *name, request);
    if (!judged) co_return judged.error();
    expected = *std::move(judged);
  }
  if (!expected) {
    auto forwarded = co_await Forward(call, request, response);
    co_return forwarded.status;
  }
  co_return co_await RunAndLook(call, request, *expected, response);
}

}  // namespace crivet::proxy
