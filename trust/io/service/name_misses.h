// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>

#include "trust/decide/refresh.h"
#include "trust/decide/refresh_schedule.h"
#include "trust/io/service/flight_key.h"

namespace crivet::trust {

/// NameMisses remembers for which names of one repository a refresh failed a moment ago, and why:
/// nobody asks again so soon (trust/RULES.md#freshness). Names come out of pods, so it holds a
/// bounded number of them. Where that is reached, whoever has the most loses his oldest: many made
/// up names make nobody else's name be asked about more often. Not thread-safe.
class NameMisses {
 public:
  static constexpr SinceBoot kRemembered{30};
  /// Of a search that was cut off: it costs the most, and who made it so is not soon gone.
  static constexpr SinceBoot kCutOffRemembered{300};
  static constexpr std::size_t kMax = 256;

  void Note(const FlightKey& key, std::shared_ptr<const RefreshFailure> failure, SinceBoot at);
  void Drop(const FlightKey& key) { misses_.erase(key); }
  void Clear() { misses_.clear(); }
  /// Null where none is remembered.
  std::shared_ptr<const RefreshFailure> Of(const FlightKey& key, SinceBoot now) const;
  std::size_t size() const { return misses_.size(); }

 private:
  struct Miss {
    std::shared_ptr<const RefreshFailure> failure;
    SinceBoot at{};
    bool IsOver(SinceBoot now) const;
  };

  void DropOne();

  std::map<FlightKey, Miss> misses_;
};

}  // namespace crivet::trust
