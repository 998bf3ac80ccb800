// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "proxy/gate/decider.h"
#include "proxy/watch/rule_counters.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy {

/// TrustDecider is the gate's Decider over the real TrustService, with the rules of the day and a
/// count of what each of them decided. Thread-safe.
class TrustDecider final : public Decider {
 public:
  /// `service` outlives it.
  TrustDecider(trust::TrustService& service, std::shared_ptr<const trust::Policy> policy);

  void Decide(trust::Question question, std::function<void(trust::Decision)> done) override;
  void Remember(const trust::ImageReference& reference, const trust::Decision& decision) override;
  std::vector<trust::AppliedRule> RulesFor(const trust::ImageReference& reference) override;
  std::shared_ptr<const trust::Rule> DefaultRule() override;

  /// Takes new rules; the service is told by its owner.
  void Reconfigure(std::shared_ptr<const trust::Policy> policy);

  /// The counters of today's rules.
  std::shared_ptr<const RuleCounters> Counters() const;

 private:
  std::shared_ptr<RuleCounters> Current() const;

  trust::TrustService& service_;
  mutable std::mutex mutex_;
  std::shared_ptr<RuleCounters> current_;
};

}  // namespace crivet::proxy
