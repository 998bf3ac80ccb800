// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>

#include "proxy/gate/decider.h"
#include "proxy/runtime/pull_tickets.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/metrics.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// SecondDoor judges pulls that did not come through the gate, as containerd asks its image
/// verifiers about them: as a PullImage without a pod and without credentials
/// (proxy/RULES.md#the-second-door). Thread-safe.
class SecondDoor {
 public:
  /// How many may be judged at a time: each waits on a thread of its own.
  static constexpr int kMostAtOnce = 64;

  /// All of them outlive it.
  SecondDoor(Decider& decider, const PullTickets& tickets, AuditLog& audit, Metrics& metrics)
      : decider_(decider), tickets_(tickets), audit_(audit), metrics_(metrics) {}

  struct Verdict {
    trust::Answer answer;  ///< to the runtime: kAllow in audit mode too
    std::string message;   ///< of a refusal as kubelet reads it
  };

  /// Judges whether `name` may be pulled where the registry gives `digest` for it. Blocks until
  /// that is decided. kMalformed where the digest is none, kState where too many wait already.
  trust::Result<Verdict> Judge(const std::string& name, const std::string& digest);

 private:
  Verdict JudgeName(const std::string& name, const trust::Sha256Digest& digest);
  Verdict Record(const std::string& name, const trust::Sha256Digest& digest,
                 const std::string& canonical, std::chrono::nanoseconds latency,
                 trust::Decision decision);

  Decider& decider_;
  const PullTickets& tickets_;
  AuditLog& audit_;
  Metrics& metrics_;
  std::atomic<int> waiting_{0};
};

}  // namespace crivet::proxy
