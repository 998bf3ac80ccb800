// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/gate/absent_once.h"
#include "proxy/gate/decider.h"
#include "proxy/gate/own_references.h"
#include "proxy/gate/unseen_sandboxes.h"
#include "proxy/runtime/call_task.h"
#include "proxy/runtime/name_locks.h"
#include "proxy/runtime/pull_tickets.h"
#include "proxy/runtime/runtime_containers.h"
#include "proxy/runtime/runtime_images.h"
#include "proxy/runtime/upstream.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/metrics.h"
#include "runtime/v1/api.pb.h"

namespace crivet::proxy {

/// GateParts is what all gated calls share. Everything in it is thread-safe.
struct GateParts {
  Upstream& upstream;
  RuntimeImages& images;
  RuntimeContainers& containers;
  OwnReferences& own_references;
  UnseenSandboxes& unseen_sandboxes;
  NameLocks& tag_locks;
  AbsentOnce& absent_once;
  PullTickets& tickets;
  Decider& decider;
  AuditLog& audit;
  Metrics& metrics;
  std::function<void(const std::string& line)> log;
};

/// Judgement is a decision with what it was about.
struct Judgement {
  std::string written;
  std::string canonical;
  std::optional<trust::Sha256Digest> local;
  std::chrono::nanoseconds latency{0};
  trust::Decision decision;

  /// The verdict, if it is Allow.
  const trust::Allow* allow() const { return std::get_if<trust::Allow>(&decision.verdict); }
  /// Whether the evidence speaks against it, and is not only missing.
  bool Denies() const { return std::holds_alternative<trust::Deny>(decision.verdict); }
  bool InAudit() const { return decision.mode() == trust::Mode::kAudit; }
  /// Whether the call must end here. In audit mode nothing does.
  bool Refuses() const { return allow() == nullptr && !InAudit(); }
  grpc::Status ToStatus() const;
};

/// GateCall is one downstream call on its way through the gate. It lives until the call is
/// answered; used by one coroutine at a time.
class GateCall {
 public:
  GateCall(GateParts& parts, grpc::CallbackServerContext& downstream, std::string_view method,
           const PeerCredentials& peer, std::shared_ptr<const Config::Gate> settings);

  GateParts& parts() { return parts_; }
  grpc::CallbackServerContext& downstream() { return downstream_; }
  const Config::Gate& settings() const { return *settings_; }

  /// Who the call is for; without a sandbox config no rule with `namespaces` matches.
  void SetPod(const cri::PodSandboxConfig& config);
  const trust::PodNamespace& pod_namespace() const { return pod_namespace_; }

  /// Decides, and measures how long that takes. `written` is for the audit line.
  Task<Judgement> Judge(trust::Question question, std::string written);

  /// The same for several questions, side by side.
  Task<std::vector<Judgement>> JudgeAll(std::vector<trust::Question> questions,
                                        const std::string& written);

  /// The decision about a text that is no reference: refused, by the mode of the default rule. What
  /// the grammar makes nothing of is allowed where everything is that no rule is about.
  Judgement JudgeText(std::string written);

  /// A refusal in place of `judgement`, under the same rule.
  Judgement Refuse(Judgement judgement, trust::Reason reason, std::string found);

  /// What only audit mode finds out.
  struct AuditFacts {
    std::optional<trust::Sha256Digest> would_pin;
    std::optional<bool> moved;
  };
  /// Writes the audit line and counts the decision.
  void Record(const Judgement& judgement, const AuditFacts& facts);
  void Record(const Judgement& judgement) { Record(judgement, AuditFacts()); }

 private:
  GateParts& parts_;
  grpc::CallbackServerContext& downstream_;
  std::string_view method_;
  PeerCredentials peer_;
  std::shared_ptr<const Config::Gate> settings_;
  PodIdentity pod_;
  trust::PodNamespace pod_namespace_ = trust::NoNamespace{};
};

// The gated calls. Each ends with the status to answer; `response` counts where that is OK.
Task<grpc::Status> AnswerPullImage(GateCall& call, const cri::PullImageRequest& request,
                                   cri::PullImageResponse& response);
Task<grpc::Status> AnswerImageStatus(GateCall& call, const cri::ImageStatusRequest& request,
                                     cri::ImageStatusResponse& response);
Task<grpc::Status> AnswerCreateContainer(GateCall& call, const cri::CreateContainerRequest& request,
                                         cri::CreateContainerResponse& response);
Task<grpc::Status> AnswerStartContainer(GateCall& call, const cri::StartContainerRequest& request,
                                        cri::StartContainerResponse& response);
Task<grpc::Status> AnswerRunPodSandbox(GateCall& call, const cri::RunPodSandboxRequest& request,
                                       cri::RunPodSandboxResponse& response);
Task<grpc::Status> AnswerListImages(GateCall& call, const cri::ListImagesRequest& request,
                                    cri::ListImagesResponse& response);
/// Sends a message of a list on; false where the caller has gone.
using SendImages = std::function<Task<bool>(const cri::StreamImagesResponse& message)>;
Task<grpc::Status> AnswerStreamImages(GateCall& call, const cri::StreamImagesRequest& request,
                                      const SendImages& send);
Task<grpc::Status> AnswerRemoveImage(GateCall& call, const cri::RemoveImageRequest& request,
                                     cri::RemoveImageResponse& response);

/// The name that a call's text stands for, as the gate reads it: an image ID is not a name here,
/// though the grammar would take it for one. kNotAReference.
trust::Result<trust::ImageReference> ReadName(std::string_view text);

/// Says in the log that a name could not be forgotten, where `forgotten` is an error.
void LogUnlessDone(GateCall& call, const trust::Result<void>& forgotten);

/// Whether every rule that could apply is in audit mode, so that nothing may be changed or refused.
/// Without a reference it is the default rule that applies.
bool OnlyAudited(GateCall& call, const std::optional<trust::ImageReference>& reference);

/// Whether the runtime takes the text for a whole image ID: `sha256:` and 64 digits. CRI-O's IDs
/// are the digits alone, which no reference can look like.
bool IsId(GateCall& call, std::string_view text);

}  // namespace crivet::proxy
