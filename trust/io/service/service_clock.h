// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <mutex>

#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/clock_guard.h"
#include "trust/decide/refresh_schedule.h"

namespace crivet::trust {

/// Moment is what the machine's clocks say at once.
struct Moment {
  TimePoint wall;
  std::chrono::milliseconds since_boot;  ///< CLOCK_BOOTTIME

  SinceBoot seconds() const { return std::chrono::floor<std::chrono::seconds>(since_boot); }
  ClockGuard::Reading reading() const { return {wall, seconds()}; }

  static Moment OfMachine();
};

/// BuildDate is when this program was built (SOURCE_DATE_EPOCH where that was set): no true clock
/// is earlier.
TimePoint BuildDate();

/// ServiceClock is the ClockGuard of a service, read by all of its threads. Thread-safe.
class ServiceClock {
 public:
  ServiceClock(TimePoint build_date, std::function<Moment()> read)
      : read_(std::move(read)), guard_(build_date, read_().reading()) {}

  Moment Read() const { return read_(); }

  /// The time to decide by; kClock where no clock is believed.
  Result<TimePoint> Now() const;

  /// A set was verified at `at`.
  void NoteRefresh(TimePoint at);

  /// The time at which the store says that a set was verified, as far as it can be true: once a
  /// server has confirmed the clock in this process, later times are the clock's.
  TimePoint NoteStored(TimePoint verified_at);

  ClockGuard::Agreement ObserveServerDate(TimePoint date);

 private:
  const std::function<Moment()> read_;
  mutable std::mutex mutex_;
  ClockGuard guard_;
  bool confirmed_ = false;
};

}  // namespace crivet::trust
