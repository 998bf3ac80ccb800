// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "trust/decide/policy.h"
#include "trust/decide/verdict.h"

namespace crivet::proxy {

/// RuleCounters count decisions by rule, for `crivet status`. Counting takes no lock. Thread-safe.
class RuleCounters {
 public:
  struct Counts {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t unavailable = 0;
  };

  /// Rules of `previous` that have kept their name keep their counts.
  explicit RuleCounters(std::shared_ptr<const trust::Policy> policy,
                        const RuleCounters* previous = nullptr);

  /// A decision under a rule of another policy counts where this one has a rule of that name, for
  /// the same images, namespaces and action: whose trust has another file now (Policy::WithTrust),
  /// or that a reload has left as it was.
  void Count(const trust::Decision& decision);

  Counts Of(const trust::Rule& rule) const;
  const trust::Policy& policy() const { return *policy_; }

 private:
  struct Atomics {
    std::atomic<std::uint64_t> allowed{0};
    std::atomic<std::uint64_t> denied{0};
    std::atomic<std::uint64_t> unavailable{0};
  };
  static Counts Read(const Atomics& atomics);
  /// Null where no rule of this policy is it.
  Atomics* Find(const trust::Rule& rule) const;

  std::shared_ptr<const trust::Policy> policy_;
  // Its keys never change after construction.
  std::unordered_map<const trust::Rule*, std::unique_ptr<Atomics>> counts_;
  std::unordered_multimap<std::string_view, const trust::Rule*> by_name_;  ///< views into policy_
};

}  // namespace crivet::proxy
