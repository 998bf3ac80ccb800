// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/rule_counters.h"

#include <algorithm>
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
    by_name_.emplace(rule->name, rule.get());
  }
}

// Several rules may be called alike.
RuleCounters::Atomics* RuleCounters::Find(const trust::Rule& rule) const {
  const auto found = counts_.find(&rule);
  if (found != counts_.end()) return found->second.get();
  const auto [begin, end] = by_name_.equal_range(rule.name);
  const auto same = std::find_if(begin, end, [&](const auto& named) {
    const auto text_is = [](const trust::ImagePattern& a, const trust::ImagePattern& b) {
      return a.text() == b.text();
    };
    return named.second->namespaces == rule.namespaces && named.second->action == rule.action &&
           std::equal(named.second->images.begin(), named.second->images.end(), rule.images.begin(),
                      rule.images.end(), text_is);
  });
  return same == end ? nullptr : counts_.at(same->second).get();
}

void RuleCounters::Count(const trust::Decision& decision) {
  Atomics* const counted = Find(*decision.applied.rule);
  if (counted == nullptr) return;
  Atomics& atomics = *counted;
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
  const Atomics* const counted = Find(rule);
  return counted == nullptr ? Counts{} : Read(*counted);
}

RuleCounters::Counts RuleCounters::Read(const Atomics& atomics) {
  return {atomics.allowed.load(std::memory_order_relaxed),
          atomics.denied.load(std::memory_order_relaxed),
          atomics.unavailable.load(std::memory_order_relaxed)};
}

}  // namespace crivet::proxy
