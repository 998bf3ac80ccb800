// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/rule_counters.h"

#include <map>
#include <string>

namespace crivet::proxy {

RuleCounters::RuleCounters(std::shared_ptr<const trust::Policy> policy,
                           const RuleCounters* previous)
    : policy_(std::move(policy)) {
  std::map<std::string, Counts> earlier;
  if (previous != nullptr) {
    for (const auto& rule : previous->policy_->rules()) earlier[rule->name] = previous->Of(*rule);
  }
  for (const auto& rule : policy_->rules()) {
    auto atomics = std::make_unique<Atomics>();
    if (const auto found = earlier.find(rule->name); found != earlier.end()) {
      atomics->allowed = found->second.allowed;
      atomics->denied = found->second.denied;
      atomics->unavailable = found->second.unavailable;
    }
    counts_.emplace(rule.get(), std::move(atomics));
  }
}

void RuleCounters::Count(const trust::Decision& decision) {
  const auto found = counts_.find(decision.applied.rule.get());
  if (found == counts_.end()) return;
  Atomics& atomics = *found->second;
  const auto add = [](std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
  };
  if (std::holds_alternative<trust::Allow>(decision.verdict)) {
    add(atomics.allowed);
  } else if (std::holds_alternative<trust::Deny>(decision.verdict)) {
    add(atomics.denied);
  } else {
    add(atomics.unavailable);
  }
}

RuleCounters::Counts RuleCounters::Of(const trust::Rule& rule) const {
  const auto found = counts_.find(&rule);
  return found == counts_.end() ? Counts{} : Read(*found->second);
}

RuleCounters::Counts RuleCounters::Read(const Atomics& atomics) {
  return {atomics.allowed.load(std::memory_order_relaxed),
          atomics.denied.load(std::memory_order_relaxed),
          atomics.unavailable.load(std::memory_order_relaxed)};
}

}  // namespace crivet::proxy
