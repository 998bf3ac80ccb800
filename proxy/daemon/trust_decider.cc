// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/trust_decider.h"

#include "proxy/wall_clock.h"

namespace crivet::proxy {

TrustDecider::TrustDecider(trust::TrustService& service,
                           std::shared_ptr<const trust::Policy> policy)
    : service_(service), current_(std::make_shared<RuleCounters>(std::move(policy))) {}

void TrustDecider::Decide(trust::Question question, std::function<void(trust::Decision)> done) {
  service_.Decide(std::move(question),
                  [counters = Current(), done = std::move(done)](trust::Decision decision) {
                    counters->Count(decision);
                    done(std::move(decision));
                  });
}

void TrustDecider::Remember(const trust::ImageReference& reference,
                            const trust::Decision& decision) {
  service_.Remember(reference, decision);
}

std::vector<trust::AppliedRule> TrustDecider::RulesFor(const trust::ImageReference& reference) {
  return Current()->policy().RulesFor(reference, Now());
}

std::shared_ptr<const trust::Rule> TrustDecider::DefaultRule() {
  return Current()->policy().rules().back();
}

void TrustDecider::Reconfigure(std::shared_ptr<const trust::Policy> policy) {
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<RuleCounters>(std::move(policy), current_.get());
}

std::shared_ptr<const RuleCounters> TrustDecider::Counters() const { return Current(); }

std::shared_ptr<RuleCounters> TrustDecider::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace crivet::proxy
