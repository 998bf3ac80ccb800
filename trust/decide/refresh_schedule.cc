// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/refresh_schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr hours kIdleAfter{1};
constexpr hours kIdlePeriod{6};
constexpr minutes kLongestRetry{5};
constexpr seconds kAfterFailure{30};
constexpr unsigned kRetriesWhereIdle = 3;
constexpr std::array<seconds, 3> kAfterExpired{seconds{5}, seconds{30}, seconds{120}};
// The clocks of node and server differ a little.
constexpr seconds kAfterExpiry{1};
// All nodes of a fleet hold the same set. Whoever decides by it does not wait for its turn.
constexpr minutes kExpirySpread{2};
// Where refreshes are rarer than that, one is looked for in it: many servers renew before the end.
constexpr hours kBeforeExpiry{1};

// A little less than the interval, so that a pull rarely meets metadata that is older than it.
seconds PeriodOf(seconds interval) { return std::max(interval - interval / 20, seconds{1}); }

// The first moment from `from` on that is in phase.
SinceBoot InPhase(SinceBoot from, seconds period, const RefreshPhase& phase) {
  const seconds offset = phase.Of(period);
  const auto periods = (from - offset + period - seconds{1}) / period;
  return offset + periods * period;
}

// When a set that runs out at `expiry` has to be asked for because of that.
SinceBoot BecauseOfExpiry(const RefreshHistory& history, const RefreshPhase& phase, seconds period,
                          seconds interval, SinceBoot expiry) {
  const SinceBoot window = expiry - kBeforeExpiry;
  const SinceBoot before = window + phase.Of(kBeforeExpiry);
  const bool looked = history.last_attempt && *history.last_attempt >= window;
  // What is past when it is first known would come at once, and on all nodes that start together.
  if (period > kBeforeExpiry && !looked && before >= history.known_since) return before;
  return expiry + kAfterExpiry + phase.Of(std::min<seconds>(kExpirySpread, PeriodOf(interval)));
}

}  // namespace

RefreshPhase::RefreshPhase(std::string_view machine_id, const CollectionId& repository) {
  std::string text(machine_id);
  text.append(1, '\0').append(repository.url).append(1, '\0').append(repository.name);
  const Sha256 hash = Sha256Of(text);
  fraction_ = std::uint32_t{hash[0]} << 24 | std::uint32_t{hash[1]} << 16 |
              std::uint32_t{hash[2]} << 8 | std::uint32_t{hash[3]};
}

std::chrono::seconds RefreshPhase::Of(std::chrono::seconds period) const {
  return seconds{
      static_cast<std::int64_t>(std::ldexp(fraction_, -32) * static_cast<double>(period.count()))};
}

void RefreshHistory::Note(Outcome ended, SinceBoot at) {
  last_attempt = at;
  outcome = ended;
  still_expired = ended == Outcome::kStillExpired ? still_expired + 1 : 0;
  failures = ended == Outcome::kFailed ? failures + 1 : 0;
}

DueRefresh NextRefresh(const RefreshHistory& history, const RefreshPhase& phase,
                       std::chrono::seconds interval, TimePoint now, SinceBoot since_boot) {
  using Outcome = RefreshHistory::Outcome;
  const SinceBoot used =
      std::max(history.last_decision.value_or(history.known_since), history.known_since);
  const bool idle = since_boot - used >= kIdleAfter;
  const bool failed =
      history.outcome == Outcome::kFailed || history.outcome == Outcome::kStillExpired;
  seconds period = idle ? seconds{kIdlePeriod} : PeriodOf(interval);
  const bool retries = !idle || (history.failures > 0 && history.failures <= kRetriesWhereIdle);
  if (failed && retries) period = std::min<seconds>(period, kLongestRetry);

  // A refresh that came out of phase, for a pull's sake, does not shift the phase; one that came
  // just before it takes its place.
  SinceBoot from = history.known_since;
  if (history.last_attempt) from = *history.last_attempt + std::max(period / 10, seconds{1});
  if (failed) from = std::max(from, *history.last_attempt + kAfterFailure);
  DueRefresh due{InPhase(from, period, phase), Cached::kAllowed};

  if (history.outcome == Outcome::kStillExpired) {
    due.cached = Cached::kNoCache;
    if (history.still_expired <= kAfterExpired.size()) {
      due.at = std::min(due.at, *history.last_attempt + kAfterExpired[history.still_expired - 1]);
    }
    return due;
  }
  if (history.expires) {
    const SinceBoot expiry = since_boot + (*history.expires - now);
    // Sets that had run out before this process knew them come in phase: after a long night they
    // are many.
    const bool runs_out_here = expiry >= history.known_since;
    const bool asked_since = history.last_attempt && *history.last_attempt > expiry;
    if (runs_out_here && !asked_since) {
      SinceBoot because = BecauseOfExpiry(history, phase, period, interval, expiry);
      if (failed) because = std::max(because, *history.last_attempt + kAfterFailure);
      due.at = std::min(due.at, because);
    }
  }
  return due;
}

SinceBoot EarliestOnDemand(const RefreshHistory& history) {
  switch (history.outcome) {
    case RefreshHistory::Outcome::kNone:
    case RefreshHistory::Outcome::kVerified:
      break;
    case RefreshHistory::Outcome::kStillExpired:
      return history.last_attempt.value_or(SinceBoot{0}) + kAfterExpired.front();
    case RefreshHistory::Outcome::kFailed:
      return history.last_attempt.value_or(SinceBoot{0}) + kAfterFailure;
  }
  return SinceBoot{0};
}

RefreshRate::RefreshRate(double per_second) {
  // A rate may be so small that the gap is no number of milliseconds any more.
  constexpr milliseconds kLongest{hours{24 * 366 * 100}};
  const double gap = std::ceil(1000.0 / per_second);
  const bool fits = gap < static_cast<double>(kLongest.count());
  gap_ = fits ? milliseconds{static_cast<std::int64_t>(gap)} : kLongest;
}

bool RefreshRate::TryTake(std::chrono::milliseconds now) {
  if (now < next_free_) return false;
  next_free_ = now + gap_;
  return true;
}

}  // namespace crivet::trust
