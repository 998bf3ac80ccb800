// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_clock.h"

#include <time.h>

#include <algorithm>

namespace crivet::trust {
namespace {

std::chrono::milliseconds ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::milliseconds(std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000);
}

}  // namespace

Moment Moment::OfMachine() {
  const auto wall = std::chrono::floor<std::chrono::seconds>(ReadClock(CLOCK_REALTIME));
  return {TimePoint(wall), ReadClock(CLOCK_BOOTTIME)};
}

TimePoint BuildDate() { return TimePoint(std::chrono::seconds(CRIVET_BUILD_EPOCH)); }

Result<TimePoint> ServiceClock::Now() const {
  const ClockGuard::Reading reading = read_().reading();
  const std::lock_guard lock(mutex_);
  return guard_.Now(reading);
}

void ServiceClock::NoteRefresh(TimePoint at) {
  const std::lock_guard lock(mutex_);
  guard_.NoteRefresh(at);
}

TimePoint ServiceClock::NoteStored(TimePoint verified_at) {
  const TimePoint wall = read_().wall;
  const std::lock_guard lock(mutex_);
  if (confirmed_) return std::min(verified_at, wall);
  guard_.NoteRefresh(verified_at);
  return verified_at;
}

ClockGuard::Agreement ServiceClock::ObserveServerDate(TimePoint date) {
  const ClockGuard::Reading reading = read_().reading();
  const std::lock_guard lock(mutex_);
  const ClockGuard::Agreement agreement = guard_.ObserveServerDate(date, reading);
  if (agreement != ClockGuard::Agreement::kDisagrees) confirmed_ = true;
  return agreement;
}

}  // namespace crivet::trust
