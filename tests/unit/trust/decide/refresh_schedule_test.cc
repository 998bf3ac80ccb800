// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/refresh_schedule.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Outcome = RefreshHistory::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kBoot = ParseRfc3339("2026-11-24T09:00:00Z").value();
constexpr seconds kInterval{5min};
constexpr SinceBoot kTaken{1000};

CollectionId Id(int number) {
  return {"a kind", "https://notary.example", "r.example/app" + std::to_string(number)};
}

DueRefresh Next(const RefreshHistory& history, SinceBoot at, int number = 0) {
  return NextRefresh(history, RefreshPhase("machine", Id(number)), kInterval, kBoot + at, at);
}

RefreshHistory TakenUp() {
  RefreshHistory history;
  history.known_since = kTaken;
  return history;
}

BOOST_AUTO_TEST_SUITE(RefreshPhaseTest)

BOOST_AUTO_TEST_CASE(Of_AnyPeriod_IsWithinIt) {
  for (int i = 0; i < 200; ++i) {
    const RefreshPhase phase("machine", Id(i));
    for (const seconds period : {seconds{1}, seconds{10}, seconds{285}, seconds{6h}}) {
      BOOST_REQUIRE(phase.Of(period) >= 0s);
      BOOST_REQUIRE(phase.Of(period) < period);
    }
  }
}

BOOST_AUTO_TEST_CASE(Of_OneRepositoryOnManyNodes_IsSpread) {
  std::vector<int> tenths(10);
  for (int i = 0; i < 1000; ++i) {
    const RefreshPhase phase("machine-" + std::to_string(i), Id(0));
    ++tenths.at(static_cast<std::size_t>(phase.Of(100s).count() / 10));
  }
  for (const int count : tenths) BOOST_TEST((count > 50 && count < 150));
}

BOOST_AUTO_TEST_CASE(Of_SameNodeAndRepository_StaysTheSame) {
  BOOST_CHECK(RefreshPhase("machine", Id(1)).Of(1h) == RefreshPhase("machine", Id(1)).Of(1h));
  BOOST_CHECK(RefreshPhase("machine", Id(1)).Of(1h) != RefreshPhase("machine", Id(2)).Of(1h));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(NextRefreshTest)

BOOST_AUTO_TEST_CASE(InUse_OnceAnInterval_AlwaysInPhase) {
  RefreshHistory history = TakenUp();
  SinceBoot at = kTaken;
  SinceBoot before{0};
  for (int i = 0; i < 5; ++i) {
    const DueRefresh due = Next(history, at);
    BOOST_CHECK(due.cached == Cached::kAllowed);
    if (i == 0) BOOST_CHECK(due.at >= kTaken && due.at < kTaken + kInterval);
    if (i > 0) BOOST_CHECK(due.at - before == kInterval - kInterval / 20);
    before = due.at;
    at = due.at + 1s;  // it takes a moment
    history.Note(Outcome::kVerified, at);
  }
}

BOOST_AUTO_TEST_CASE(InUse_ARefreshForAPullsSake_DoesNotShiftThePhase) {
  RefreshHistory history = TakenUp();
  const SinceBoot due = Next(history, kTaken).at;
  history.Note(Outcome::kVerified, due + 100s);
  BOOST_CHECK(Next(history, due + 100s).at == due + (kInterval - kInterval / 20));
}

BOOST_AUTO_TEST_CASE(InUse_ARefreshJustBeforeItsTurn_TakesItsPlace) {
  RefreshHistory history = TakenUp();
  const SinceBoot due = Next(history, kTaken).at;
  history.Note(Outcome::kVerified, due - 5s);
  BOOST_CHECK(Next(history, due - 5s).at == due + (kInterval - kInterval / 20));
}

BOOST_AUTO_TEST_CASE(NoDecisionForAnHour_EverySixHours) {
  RefreshHistory history = TakenUp();
  history.Note(Outcome::kVerified, kTaken + 59min);
  BOOST_CHECK(Next(history, kTaken + 59min).at <= kTaken + 59min + 6min);

  const SinceBoot first = Next(history, kTaken + 1h).at;
  history.Note(Outcome::kVerified, first);
  BOOST_CHECK(Next(history, first).at - first == 6h);

  // A decision makes it one in use again.
  history.last_decision = first + 1h;
  BOOST_CHECK(Next(history, first + 1h).at <= first + 1h);
}

BOOST_AUTO_TEST_CASE(Failed_NotForThirtySeconds_ThenInPhase) {
  for (int number = 0; number < 50; ++number) {
    RefreshHistory history = TakenUp();
    const SinceBoot due = Next(history, kTaken, number).at;
    history.Note(Outcome::kFailed, due + 5s);
    const SinceBoot again = Next(history, due + 5s, number).at;
    BOOST_CHECK(again >= due + 35s);
    BOOST_CHECK(again == due + (kInterval - kInterval / 20));
  }
}

BOOST_AUTO_TEST_CASE(Failed_LongInterval_IsRetriedWithinMinutes) {
  RefreshHistory history = TakenUp();
  history.Note(Outcome::kFailed, kTaken);
  const RefreshPhase phase("machine", Id(0));
  const SinceBoot again = NextRefresh(history, phase, 24h, kBoot + kTaken, kTaken).at;
  BOOST_CHECK(again >= kTaken + 30s && again <= kTaken + 6min);
}

// A server that many ask at once fails some of them: a set that nobody uses now must not stay
// expired for six hours because of that.
BOOST_AUTO_TEST_CASE(Failed_NobodyUsesIt_ThreeMoreTriesWithinMinutes_ThenEverySixHours) {
  for (int number = 0; number < 50; ++number) {
    RefreshHistory history = TakenUp();
    SinceBoot at = kTaken + 2h;
    for (int i = 0; i < 3; ++i) {
      history.Note(Outcome::kFailed, at);
      const SinceBoot again = Next(history, at, number).at;
      BOOST_REQUIRE(again >= at + 30s);
      BOOST_REQUIRE(again <= at + 30s + 5min);
      at = again;
    }
    history.Note(Outcome::kFailed, at);
    BOOST_REQUIRE(Next(history, at, number).at >= at + 36min);

    history.Note(Outcome::kVerified, at);
    history.Note(Outcome::kFailed, at + 6h);
    BOOST_REQUIRE(Next(history, at + 6h, number).at <= at + 6h + 6min);
  }
}

BOOST_AUTO_TEST_CASE(RunsOut_DueInTheTwoMinutesAfterTheExpiry) {
  for (int number = 0; number < 50; ++number) {
    RefreshHistory history = TakenUp();
    const SinceBoot due = Next(history, kTaken, number).at;
    history.Note(Outcome::kVerified, due);
    const SinceBoot expiry = due + 60s;
    history.expires = kBoot + expiry;
    const DueRefresh next = Next(history, due, number);
    BOOST_CHECK(next.at > expiry && next.at <= expiry + 121s);
    // The first time, a cache may answer.
    BOOST_CHECK(next.cached == Cached::kAllowed);
  }
}

BOOST_AUTO_TEST_CASE(RunsOut_AlsoWhereNobodyUsesIt) {
  RefreshHistory history = TakenUp();
  history.Note(Outcome::kVerified, kTaken + 2h);
  history.expires = kBoot + kTaken + 3h;
  const SinceBoot next = Next(history, kTaken + 2h).at;
  BOOST_CHECK(next > kTaken + 3h && next <= kTaken + 3h + 121s);
}

BOOST_AUTO_TEST_CASE(RunsOut_ShortInterval_DueWithinIt) {
  for (int number = 0; number < 50; ++number) {
    RefreshHistory history = TakenUp();
    history.Note(Outcome::kVerified, kTaken);
    history.expires = kBoot + kTaken + 1s;
    const RefreshPhase phase("machine", Id(number));
    const SinceBoot next = NextRefresh(history, phase, 20s, kBoot + kTaken, kTaken).at;
    BOOST_CHECK(next >= kTaken + 1s && next <= kTaken + 21s);
  }
}

// A publisher that renews an hour before the end would otherwise be asked by most nodes only after
// it, all of them at once.
BOOST_AUTO_TEST_CASE(RunsOut_BetweenTwoRareRefreshes_AlsoInTheHourBefore) {
  std::vector<int> tenths(10);
  for (int number = 0; number < 1000; ++number) {
    RefreshHistory history = TakenUp();
    const SinceBoot expiry = kTaken + 7h;
    history.expires = kBoot + expiry;
    history.Note(Outcome::kVerified, kTaken + 2h);
    DueRefresh due = Next(history, kTaken + 2h, number);
    if (due.at < expiry - 1h) {  // its turn
      history.Note(Outcome::kVerified, due.at);
      due = Next(history, due.at, number);
    }
    BOOST_REQUIRE(due.at >= expiry - 1h);
    BOOST_REQUIRE(due.at < expiry);
    BOOST_CHECK(due.cached == Cached::kAllowed);
    ++tenths.at(static_cast<std::size_t>((due.at - (expiry - 1h)) / 6min));

    // Nothing new yet: the next time is its turn, or after the end.
    history.Note(Outcome::kVerified, due.at);
    BOOST_REQUIRE(Next(history, due.at, number).at > std::min(due.at + 30min, expiry));
  }
  for (const int count : tenths) BOOST_TEST((count > 50 && count < 150));
}

BOOST_AUTO_TEST_CASE(RunsOut_TakenUpWithinTheHourBefore_IsNotAskedAtOnce) {
  int in_the_first_minute = 0;
  for (int number = 0; number < 600; ++number) {
    RefreshHistory history = TakenUp();
    history.expires = kBoot + kTaken + 10min;
    const RefreshPhase phase("machine", Id(number));
    const SinceBoot due = NextRefresh(history, phase, 24h, kBoot + kTaken, kTaken).at;
    BOOST_REQUIRE(due >= kTaken);
    BOOST_REQUIRE(due <= kTaken + 10min + 121s);
    if (due <= kTaken + 1min) ++in_the_first_minute;
  }
  BOOST_TEST(in_the_first_minute < 30);
}

BOOST_AUTO_TEST_CASE(StillExpired_AgainAfter5s30s2min_WithoutCaches) {
  RefreshHistory history = TakenUp();
  const SinceBoot expiry = Next(history, kTaken).at + 60s;
  history.Note(Outcome::kVerified, expiry - 60s);
  history.expires = kBoot + expiry;
  SinceBoot at = expiry + 2s;
  for (const seconds wait : {5s, 30s, 120s}) {
    history.Note(Outcome::kStillExpired, at);
    const DueRefresh due = Next(history, at);
    BOOST_CHECK(due.cached == Cached::kNoCache);
    BOOST_CHECK(due.at == at + wait);
    at = due.at;
  }
  history.Note(Outcome::kStillExpired, at);
  BOOST_CHECK(Next(history, at).cached == Cached::kNoCache);
  BOOST_CHECK(Next(history, at).at >= at + 30s);

  history.Note(Outcome::kVerified, at);
  history.expires = kBoot + at + 24h * 14;
  BOOST_CHECK(Next(history, at).cached == Cached::kAllowed);
}

BOOST_AUTO_TEST_CASE(RunsOut_RightAfterAFailure_WaitsThirtySeconds) {
  RefreshHistory history = TakenUp();
  history.Note(Outcome::kFailed, kTaken + 10s);
  history.expires = kBoot + kTaken + 12s;
  BOOST_CHECK(Next(history, kTaken + 12s).at >= kTaken + 40s);
}

BOOST_AUTO_TEST_CASE(RunsOut_FailedSince_ComesInPhase) {
  RefreshHistory history = TakenUp();
  history.expires = kBoot + kTaken + 10s;
  history.Note(Outcome::kFailed, kTaken + 15s);
  BOOST_CHECK(Next(history, kTaken + 15s).at >= kTaken + 45s);
}

BOOST_AUTO_TEST_CASE(SettingTheClock_NeitherStopsNorBunchesRefreshes) {
  RefreshHistory history = TakenUp();
  history.Note(Outcome::kVerified, kTaken + 10s);
  history.expires = kBoot + kTaken + 24h;
  const RefreshPhase phase("machine", Id(0));
  const auto year = 24h * 365;
  const SinceBoot at = kTaken + 11s;
  const SinceBoot due = NextRefresh(history, phase, kInterval, kBoot + at, at).at;
  BOOST_CHECK(NextRefresh(history, phase, kInterval, kBoot + at + year, at).at == due);
  BOOST_CHECK(NextRefresh(history, phase, kInterval, kBoot + at - year, at).at == due);
}

BOOST_AUTO_TEST_CASE(EarliestOnDemand_AfterAFailure_ThirtySeconds) {
  RefreshHistory history = TakenUp();
  BOOST_CHECK(EarliestOnDemand(history) <= kTaken);
  history.Note(Outcome::kFailed, kTaken);
  BOOST_CHECK(EarliestOnDemand(history) == kTaken + 30s);
  history.Note(Outcome::kStillExpired, kTaken);
  BOOST_CHECK(EarliestOnDemand(history) == kTaken + 5s);
  history.Note(Outcome::kVerified, kTaken);
  BOOST_CHECK(EarliestOnDemand(history) <= kTaken);
}

// One set on all nodes of a fleet.
BOOST_AUTO_TEST_CASE(RunsOut_OnAThousandNodes_TenASecondOfThemAndNotAll) {
  std::vector<int> seconds_after(122);
  for (int node = 0; node < 1000; ++node) {
    const RefreshPhase phase("machine-" + std::to_string(node), Id(0));
    RefreshHistory history = TakenUp();
    history.Note(Outcome::kVerified, kTaken);
    history.expires = kBoot + kTaken + 1s;
    const SinceBoot due = NextRefresh(history, phase, 24h, kBoot + kTaken, kTaken).at;
    ++seconds_after.at(static_cast<std::size_t>((due - kTaken - 1s).count()));
  }
  BOOST_TEST(*std::max_element(seconds_after.begin(), seconds_after.end()) < 25);
}

BOOST_AUTO_TEST_SUITE_END()

/// Fleet is one node with many repositories and one server that counts what it is asked.
class Fleet {
 public:
  explicit Fleet(int repositories) {
    for (int i = 0; i < repositories; ++i) {
      RefreshHistory history = TakenUp();
      history.expires = kBoot + kTaken + 24h * 14;
      histories_.push_back(history);
      phases_.emplace_back("machine", Id(i));
    }
  }

  RefreshHistory& at(int repository) { return histories_.at(static_cast<std::size_t>(repository)); }
  void SetOutcome(Outcome outcome) { outcome_ = outcome; }
  void ExpireAllAt(TimePoint time) {
    for (RefreshHistory& history : histories_) history.expires = time;
  }

  // Runs in steps of a tenth of a second; every repository stays in use.
  void Run(seconds time) {
    const milliseconds end = now_ + time;
    for (; now_ < end; now_ += 100ms) {
      const SinceBoot second = std::chrono::floor<seconds>(now_);
      for (std::size_t i = 0; i < histories_.size(); ++i) {
        RefreshHistory& history = histories_[i];
        history.last_decision = second;
        if (NextRefresh(history, phases_[i], kInterval, kBoot + second, second).at > second) {
          continue;
        }
        if (!rate_.TryTake(now_)) break;
        asked_.push_back(now_);
        history.Note(outcome_, second);
        if (outcome_ == Outcome::kVerified) history.expires = kBoot + second + 24h * 14;
      }
    }
  }

  // The most that the server saw in any window of this length, since it was last asked.
  std::size_t MostIn(milliseconds window) const {
    std::size_t most = 0;
    std::deque<milliseconds> in_window;
    for (const milliseconds at : asked_) {
      in_window.push_back(at);
      while (in_window.front() <= at - window) in_window.pop_front();
      most = std::max(most, in_window.size());
    }
    return most;
  }

  std::size_t asked() const { return asked_.size(); }
  void Forget() { asked_.clear(); }

 private:
  std::vector<RefreshHistory> histories_;
  std::vector<RefreshPhase> phases_;
  std::vector<milliseconds> asked_;
  RefreshRate rate_{2.0};
  Outcome outcome_ = Outcome::kVerified;
  milliseconds now_ = kTaken;
};

BOOST_AUTO_TEST_SUITE(FiveHundredRepositoriesTest)

BOOST_AUTO_TEST_CASE(AtStart_NoBurst_AndNoneIsForgotten) {
  Fleet fleet(500);
  fleet.Run(10s);
  BOOST_TEST(fleet.asked() < 30u);  // evenly spread: 18
  fleet.Run(5min - 10s);
  BOOST_TEST(fleet.MostIn(1s) <= 2u);
  for (int i = 0; i < 500; ++i) BOOST_REQUIRE(fleet.at(i).last_attempt.has_value());
}

BOOST_AUTO_TEST_CASE(AtTheInterval_NoBurst) {
  Fleet fleet(500);
  fleet.Run(5min);
  fleet.Forget();
  fleet.Run(30min);
  BOOST_TEST(fleet.MostIn(1s) <= 2u);
  BOOST_TEST(fleet.asked() > 2900u);  // 500 every 285 s, 3158 in half an hour
  BOOST_TEST(fleet.asked() < 3300u);
}

BOOST_AUTO_TEST_CASE(AfterAnOutage_NoBurst) {
  Fleet fleet(500);
  fleet.Run(10min);
  fleet.SetOutcome(Outcome::kFailed);
  fleet.Run(1h);
  fleet.Forget();
  fleet.SetOutcome(Outcome::kVerified);
  fleet.Run(10s);
  BOOST_TEST(fleet.asked() < 30u);
  fleet.Run(5min);
  BOOST_TEST(fleet.MostIn(1s) <= 2u);
  for (int i = 0; i < 500; ++i) BOOST_REQUIRE(fleet.at(i).outcome == Outcome::kVerified);
}

BOOST_AUTO_TEST_CASE(AllExpiringAtOnce_AreCapped) {
  Fleet fleet(500);
  fleet.Run(10min);
  fleet.ExpireAllAt(kBoot + kTaken + 15min);
  fleet.Run(5min);
  fleet.Forget();
  fleet.Run(5min);
  BOOST_TEST(fleet.MostIn(1s) <= 2u);
  BOOST_TEST(fleet.MostIn(10s) <= 20u);
  for (int i = 0; i < 500; ++i) BOOST_REQUIRE(*fleet.at(i).expires > kBoot + kTaken + 15min);
}

BOOST_AUTO_TEST_CASE(ExpiredOvernight_NoBurstAtStart) {
  Fleet fleet(500);
  fleet.ExpireAllAt(kBoot);
  fleet.Run(10s);
  BOOST_TEST(fleet.asked() < 30u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RefreshRateTest)

BOOST_AUTO_TEST_CASE(TryTake_NothingIsSavedUp) {
  RefreshRate rate(2.0);
  BOOST_TEST(rate.TryTake(1h));
  BOOST_TEST(!rate.TryTake(1h + 499ms));
  BOOST_CHECK(rate.NextFree() == 1h + 500ms);
  BOOST_TEST(rate.TryTake(1h + 500ms));
  BOOST_TEST(!rate.TryTake(1h + 999ms));
}

BOOST_AUTO_TEST_CASE(TryTake_LessThanOneASecond) {
  RefreshRate rate(0.1);
  BOOST_TEST(rate.TryTake(1s));
  BOOST_TEST(!rate.TryTake(10999ms));
  BOOST_TEST(rate.TryTake(11s));
}

BOOST_AUTO_TEST_CASE(TryTake_AlmostNever) {
  RefreshRate rate(1e-300);
  BOOST_TEST(rate.TryTake(1s));
  BOOST_TEST(!rate.TryTake(24h * 366));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
