// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/clock_guard.h"

#include <algorithm>

namespace crivet::trust {

Result<TimePoint> ClockGuard::Now(Reading reading) const {
  TimePoint now = reading.wall;
  const TimePoint since_start = SinceStart(reading);
  if (now + kSlack < since_start) now = since_start;
  if (now < build_date_) {
    return Fail(Reason::kClock, "the clock of this node is before " + FormatRfc3339(build_date_) +
                                    ", when this program was built");
  }
  if (latest_refresh_ && now + kBehindRefresh < *latest_refresh_) {
    return Fail(Reason::kClock, "the clock of this node is more than an hour behind " +
                                    FormatRfc3339(*latest_refresh_) +
                                    ", when trust metadata was last verified");
  }
  return now;
}

void ClockGuard::NoteRefresh(TimePoint at) {
  latest_refresh_ = latest_refresh_ ? std::max(*latest_refresh_, at) : at;
}

ClockGuard::Agreement ClockGuard::ObserveServerDate(TimePoint date, Reading reading) {
  const auto apart = date > reading.wall ? date - reading.wall : reading.wall - date;
  if (apart > kAgreement) return Agreement::kDisagrees;
  // No answer makes a clock good that is older than the program.
  if (reading.wall < build_date_) return Agreement::kDisagrees;
  const bool held_up = reading.wall + kSlack < SinceStart(reading);
  const bool refused = latest_refresh_ && reading.wall + kBehindRefresh < *latest_refresh_;
  if (!held_up && !refused) return Agreement::kAgrees;
  anchor_ = reading;
  if (latest_refresh_) latest_refresh_ = std::min(*latest_refresh_, reading.wall);
  return Agreement::kStoreFollows;
}

}  // namespace crivet::trust
