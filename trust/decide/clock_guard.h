// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "trust/base/result.h"
#include "trust/base/time.h"

namespace crivet::trust {

/// ClockGuard tells which time decisions may use, so that a clock that was set back revives nothing
/// that has expired, and a clock that jumped forward and back locks nobody out
/// (trust/RULES.md#time). Pure: readings come from outside. Not thread-safe.
///
/// It never runs behind the time since the start by more than kSlack, never before the build date,
/// and not more than kBehindRefresh behind the latest successful refresh, until a server's own
/// time, received over verified TLS, agrees with the clock.
class ClockGuard {
 public:
  /// What the machine's two clocks say at one moment.
  struct Reading {
    TimePoint wall;
    /// CLOCK_BOOTTIME: goes on while the machine sleeps, and nobody can set it.
    std::chrono::seconds since_boot;
  };

  static constexpr std::chrono::minutes kSlack{5};
  static constexpr std::chrono::hours kBehindRefresh{1};
  static constexpr std::chrono::minutes kAgreement{10};

  /// `started` is the reading at the start of the process.
  ClockGuard(TimePoint build_date, Reading started) : build_date_(build_date), anchor_(started) {}

  /// The time to decide by: the wall clock, or the time since the start where the wall clock has
  /// fallen behind it. kClock, with a text that stays the same from call to call, where neither is
  /// believed; refreshes go on then, for the time that their answers carry.
  Result<TimePoint> Now(Reading reading) const;

  /// A refresh ended well at `at`, now or, as the store remembers it, in an earlier process.
  void NoteRefresh(TimePoint at);

  enum class Agreement : std::uint8_t {
    kDisagrees,
    kAgrees,
    /// The clock was not believed, or was held up, and now is what counts: the store must lower
    /// every later time of a refresh to `reading.wall`.
    kStoreFollows,
  };

  /// A server's answer over verified TLS carried `date` (the HTTP header) at `reading`.
  Agreement ObserveServerDate(TimePoint date, Reading reading);

  std::optional<TimePoint> latest_refresh() const { return latest_refresh_; }

 private:
  TimePoint SinceStart(Reading reading) const {
    return anchor_.wall + (reading.since_boot - anchor_.since_boot);
  }

  TimePoint build_date_;
  /// The start, or the latest moment at which a server's time agreed with a clock that was behind.
  Reading anchor_;
  std::optional<TimePoint> latest_refresh_;
};

}  // namespace crivet::trust
