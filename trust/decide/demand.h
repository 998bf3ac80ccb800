// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "trust/base/time.h"

namespace crivet::trust {

/// Demand is what one rule wants of a kind of trust: whom to believe, and what has to be signed by
/// whom. Each kind has its own, reads it from the configuration (Kind::ReadDemand), and is the only
/// one to look into it. Immutable; safe to share between threads.
class Demand {
 public:
  virtual ~Demand() = default;
  Demand() = default;
  Demand(const Demand&) = delete;
  Demand& operator=(const Demand&) = delete;

  /// Whether nothing that is verified for one could differ for the other. Precondition: both are of
  /// one kind.
  virtual bool Equals(const Demand& other) const = 0;

  /// Whether what is decided for it may depend on the time: then a clock that is not believed
  /// decides nothing (trust/RULES.md#time).
  virtual bool ReadsClock() const { return true; }

  /// Whether it stands on a file of another trust (Kind::FileOf) that is not here, or no longer
  /// counts at that time: what is new to the node cannot be judged then.
  virtual bool LacksFile(TimePoint /*now*/) const { return false; }
};

using SharedDemand = std::shared_ptr<const Demand>;
/// What all rules together want of one collection, no two the same.
using Demands = std::vector<SharedDemand>;

}  // namespace crivet::trust
