// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

  /// A decision under a rule of an older policy is not counted.
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

  std::shared_ptr<const trust::Policy> policy_;
  // Its keys never change after construction.
  std::unordered_map<const trust::Rule*, std::unique_ptr<Atomics>> counts_;
};

}  // namespace crivet::proxy
