// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "proxy/daemon/waiting_pulls.h"
#include "proxy/gate/decider.h"
#include "proxy/runtime/pull_tickets.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/metrics.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// SecondDoor judges pulls that did not come through the gate, as containerd asks its image
/// verifiers about them: as a PullImage without a pod and without credentials
/// (proxy/RULES.md#the-second-door). Thread-safe; blocks nobody.
class SecondDoor {
 public:
  /// All of them outlive it, and it outlives whatever is still asked.
  SecondDoor(Decider& decider, const PullTickets& tickets, AuditLog& audit, Metrics& metrics)
      : decider_(decider), tickets_(tickets), audit_(audit), metrics_(metrics) {}

  struct Verdict {
    trust::Answer answer;  ///< to the runtime: kAllow in audit mode too
    std::string message;   ///< of a refusal as kubelet reads it
  };
  using Judged = std::function<void(trust::Result<Verdict>)>;

  /// Judges whether `name` may be pulled where the registry gives `digest` for it. Answers through
  /// `done` exactly once, on any thread, also before it returns. kMalformed where the digest is
  /// none, kState after a defect of ours.
  void Judge(const std::string& name, const std::string& digest, Judged done);

 private:
  struct Pull;

  void Ask(Pull asked);
  Verdict End(Pull& pull, trust::Decision decision);
  Verdict Record(const std::string& name, const trust::Sha256Digest& digest,
                 const std::string& canonical, std::chrono::nanoseconds latency,
                 trust::Decision decision);

  Decider& decider_;
  const PullTickets& tickets_;
  AuditLog& audit_;
  Metrics& metrics_;
  WaitingPulls waiting_;
};

}  // namespace crivet::proxy
