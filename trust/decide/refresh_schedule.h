// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "trust/base/time.h"
#include "trust/decide/collection_id.h"

namespace crivet::trust {

/// SinceBoot is CLOCK_BOOTTIME: refreshes are timed by it, so that setting the clock neither stops
/// nor bunches them. Only a signed expiry is wall time.
using SinceBoot = std::chrono::seconds;

/// RefreshPhase is where within every period one repository of one node is refreshed: a hash of the
/// node and the repository, so that neither the repositories of a node nor the nodes of a fleet ask
/// together (trust/RULES.md#load-on-the-server).
class RefreshPhase {
 public:
  RefreshPhase(std::string_view machine_id, const CollectionId& repository);
  /// The same fraction of every period: at least zero, less than `period`.
  std::chrono::seconds Of(std::chrono::seconds period) const;

 private:
  std::uint32_t fraction_;
};

/// RefreshHistory is what of a repository's past says when it is refreshed next.
struct RefreshHistory {
  enum class Outcome : std::uint8_t {
    kNone,          ///< none has ended in this process
    kVerified,      ///< new or unchanged, it verified
    kStillExpired,  ///< the server answered with what had expired already
    kFailed,
  };
  /// When this process took the repository up.
  SinceBoot known_since{};
  std::optional<SinceBoot> last_decision;
  std::optional<SinceBoot> last_attempt;  ///< when it ended
  Outcome outcome = Outcome::kNone;
  /// How many in a row were kStillExpired.
  unsigned still_expired = 0;
  unsigned failures = 0;  ///< how many in a row were kFailed
  /// The earliest expiry of the trusted set; none where there is no set.
  std::optional<TimePoint> expires;

  /// Takes note of a refresh that ended. After kVerified the caller sets `expires` anew.
  void Note(Outcome ended, SinceBoot at);
};

/// Cached says whether caches on the way may answer.
enum class Cached : std::uint8_t { kAllowed, kNoCache };

struct DueRefresh {
  SinceBoot at{};
  Cached cached = Cached::kAllowed;
};

/// NextRefresh is when a repository is refreshed in the background, perhaps in the past: it is due
/// then. `now` and `since_boot` are the same moment.
///
/// In use: once an interval, in the repository's phase. Without a decision for an hour: every six.
/// When the set runs out: in the two minutes after that moment, or in one interval where that is
/// shorter, because Notary makes a new timestamp only when it is asked after the old one expired;
/// again after 5 s, 30 s and 2 min where the answer is still the expired one, without caches from
/// then on. Where refreshes are rarer than hourly, also in the hour before, because other servers
/// renew theirs by then. After a failure not for 30 s, and in phase within five minutes; where
/// nobody uses it, only three times.
DueRefresh NextRefresh(const RefreshHistory& history, const RefreshPhase& phase,
                       std::chrono::seconds interval, TimePoint now, SinceBoot since_boot);

/// EarliestOnDemand is the first moment at which a pull may start a refresh of its own: not for 30
/// s after a failure, so that pulls do not each wait out the timeout, and not for 5 s after an
/// answer that was still the expired one.
SinceBoot EarliestOnDemand(const RefreshHistory& history);

/// RefreshRate caps the refreshes of one server (`max_refresh_rate`): they start at least one part
/// of a second apart, nothing is saved up. Not thread-safe.
class RefreshRate {
 public:
  /// Precondition: more than zero.
  explicit RefreshRate(double per_second);

  /// Whether a refresh may start at `now` (since boot); if so, it has.
  bool TryTake(std::chrono::milliseconds now);
  /// When the next may start; in the past where one may start at once.
  std::chrono::milliseconds NextFree() const { return next_free_; }

 private:
  std::chrono::milliseconds gap_;
  std::chrono::milliseconds next_free_{0};
};

}  // namespace crivet::trust
