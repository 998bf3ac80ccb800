// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/sandbox_look.h"

#include <chrono>
#include <utility>

#include "proxy/gate/judged_content.h"
#include "proxy/runtime/call_context.h"

namespace crivet::proxy {
namespace {

using Finding = RuntimeContainers::Finding;
using Expected = UnseenSandboxes::Expected;
using trust::Reason;

constexpr std::string_view kRunPodSandbox = "/runtime.v1.RuntimeService/RunPodSandbox";
// A runtime that is busy has as long as it answers other calls; this is for one that loses a call.
constexpr std::chrono::minutes kLongest{10};
// The runtime ends what nobody waits for any more within seconds.
constexpr std::chrono::minutes kTurnsUpWithin{1};

Task<tl::expected<Finding, grpc::Status>> RootOf(RuntimeContainers& containers,
                                                 const std::string& id, const Expected& expected) {
  using Result = tl::expected<Finding, grpc::Status>;
  Result finding(Finding::kOther);
  for (const std::string& image_id : expected.image_ids) {
    auto root = co_await containers.ExamineRoot(id, image_id);
    if (!root) {
      finding = Result(tl::unexpect, std::move(root.error()));
      continue;
    }
    finding = Result(root->finding);
    if (root->finding == Finding::kAsJudged) break;
  }
  co_return finding;
}

// What is said of it: the image was allowed, by the rule that is asked here, and is not what ran.
Task<grpc::Status> Tell(GateCall& call, const Expected& expected, SandboxLook::Problem problem) {
  const auto reference = ReadName(expected.image);
  if (!reference) {
    co_return RefuseContent(call, call.JudgeText(expected.image), problem.reason,
                            std::move(problem.found));
  }
  trust::Question question{.reference = *reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt,
                           .reach = trust::Question::Reach::kOffline};
  auto judgement = co_await call.Judge(std::move(question), expected.image);
  // Audit mode lets the next one run; this one was made while the rule was enforced.
  co_return RefuseContent(call, judgement, problem.reason, std::move(problem.found));
}

cri::PodSandboxConfig ConfigOf(const SandboxKey& key) {
  cri::PodSandboxConfig config;
  config.mutable_metadata()->set_namespace_(key.name_space);
  config.mutable_metadata()->set_name(key.name);
  config.mutable_metadata()->set_uid(key.uid);
  return config;
}

Task<tl::expected<cri::ListPodSandboxResponse, grpc::Status>> ReadySandboxes(Upstream& upstream) {
  using Result = tl::expected<cri::ListPodSandboxResponse, grpc::Status>;
  cri::ListPodSandboxRequest request;
  request.mutable_filter()->mutable_state()->set_state(cri::SANDBOX_READY);
  cri::ListPodSandboxResponse response;
  auto context = OwnContext(kLongest);
  auto listing = upstream.ListPodSandbox(*context, request, response);
  grpc::Status status = co_await upstream.ToItsEnd(*context, std::move(listing));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(std::move(response));
}

}  // namespace

Task<SandboxLook> LookAtSandbox(GateParts& parts, const std::string& id, const Expected& expected) {
  auto root = co_await RootOf(parts.containers, id, expected);
  if (root && *root == Finding::kAsJudged) co_return SandboxLook();
  if (root && *root == Finding::kNoRecord) {
    // Some runtimes make a sandbox without any image: a virtual machine, or nothing at all.
    parts.metrics.CountUnjudgedSandbox();
    co_return SandboxLook();
  }
  const grpc::Status removed = co_await parts.containers.RemoveSandbox(id);
  parts.log(
      "sandbox " + id + " " +
      (root ? "was not made from what was judged as " + expected.image
            : "cannot be checked: " + root.error().error_message()) +
      (removed.ok() ? "; it was removed" : "; it cannot be removed: " + removed.error_message()));
  SandboxLook look{.problem = {}, .settled = removed.ok()};
  if (!root) {
    look.problem = {Reason::kState,
                    "the runtime does not say what it made the sandbox from, so it was stopped and "
                    "removed"};
    co_return look;
  }
  parts.metrics.CountOtherContent();
  look.problem = {
      Reason::kDigestMismatch,
      "the sandbox ran with other content than what was judged, for a name of its image "
      "was moved meanwhile; it was stopped and removed"};
  co_return look;
}

Task<grpc::Status> SeeSandboxOf(GateCall& call, const cri::CreateContainerRequest& request) {
  UnseenSandboxes& unseen = call.parts().unseen_sandboxes;
  const bool may_be_unseen =
      request.has_sandbox_config()
          ? unseen.Find(KeyOf(request.sandbox_config().metadata())).has_value()
          : !unseen.empty();
  if (!may_be_unseen) co_return grpc::Status::OK;
  // The whole ID: what the caller wrote may be the beginning of it.
  cri::PodSandboxStatusRequest status_request;
  status_request.set_pod_sandbox_id(request.pod_sandbox_id());
  cri::PodSandboxStatusResponse response;
  auto context = SideContext(call.downstream());
  grpc::Status status =
      co_await call.parts().upstream.PodSandboxStatus(*context, status_request, response);
  if (!status.ok()) co_return status;
  const SandboxKey key = KeyOf(response.status().metadata());
  const auto expected = unseen.Find(key);
  if (!expected) co_return grpc::Status::OK;
  SandboxLook look = co_await LookAtSandbox(call.parts(), response.status().id(), *expected);
  if (look.settled) unseen.Settle(key);
  if (!look.problem) co_return grpc::Status::OK;
  co_return co_await Tell(call, *expected, *std::move(look.problem));
}

Task<Done> SeeLostSandboxes(GateParts& parts, std::shared_ptr<const Config::Gate> settings) {
  UnseenSandboxes& unseen = parts.unseen_sandboxes;
  auto ready = co_await ReadySandboxes(parts.upstream);
  if (!ready) co_return Done{};
  const std::vector<UnseenSandboxes::Lost> all = unseen.AllLost();
  for (const UnseenSandboxes::Lost& lost : all) {
    bool settled = UnseenSandboxes::Clock::now() - lost.since > kTurnsUpWithin;
    for (const cri::PodSandbox& sandbox : ready->items()) {
      if (sandbox.state() != cri::SANDBOX_READY || KeyOf(sandbox.metadata()) != lost.key) continue;
      SandboxLook look = co_await LookAtSandbox(parts, sandbox.id(), lost.expected);
      settled = look.settled;
      if (!look.problem) continue;
      grpc::CallbackServerContext nobody;
      GateCall call(parts, nobody, kRunPodSandbox, PeerCredentials(), settings);
      call.SetPod(ConfigOf(lost.key));
      co_await Tell(call, lost.expected, *std::move(look.problem));
    }
    if (settled) unseen.Settle(lost.key);
  }
  co_return Done{};
}

}  // namespace crivet::proxy
