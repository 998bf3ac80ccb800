// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/clock_guard.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Agreement = ClockGuard::Agreement;

constexpr std::chrono::hours kYear{24 * 365};

const TimePoint kBuilt = ParseRfc3339("2026-11-01T00:00:00Z").value();
const TimePoint kStart = ParseRfc3339("2026-11-24T09:00:00Z").value();

/// Node is a machine whose wall clock somebody can set; its boot time only goes forward.
class Node {
 public:
  explicit Node(TimePoint wall = kStart) : wall_(wall) {}
  void Pass(std::chrono::seconds time) {
    wall_ += time;
    since_boot_ += time;
  }
  void SetClock(TimePoint wall) { wall_ = wall; }
  TimePoint wall() const { return wall_; }
  ClockGuard::Reading Read() const { return {wall_, since_boot_}; }
  ClockGuard Start() const { return ClockGuard(kBuilt, Read()); }

 private:
  TimePoint wall_;
  std::chrono::seconds since_boot_{1000};
};

Reason WhyNot(const ClockGuard& guard, const Node& node) {
  const auto now = guard.Now(node.Read());
  BOOST_REQUIRE(!now);
  return now.error().reason;
}

BOOST_AUTO_TEST_SUITE(ClockGuardTest)

BOOST_AUTO_TEST_CASE(Now_NothingHappened_IsTheWallClock) {
  Node node;
  const ClockGuard guard = node.Start();
  node.Pass(3h);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 3h);
}

BOOST_AUTO_TEST_CASE(Now_BeforeTheBuildDate_IsClock) {
  Node node(kBuilt - 1s);
  const ClockGuard guard = node.Start();
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);
  node.Pass(1s);
  BOOST_CHECK(guard.Now(node.Read()).value() == kBuilt);
}

BOOST_AUTO_TEST_CASE(Now_BeforeTheBuildDate_NoServerMakesItGood) {
  Node node(kBuilt - kYear);
  ClockGuard guard = node.Start();
  BOOST_CHECK(guard.ObserveServerDate(node.wall(), node.Read()) == Agreement::kDisagrees);
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);
}

BOOST_AUTO_TEST_CASE(Now_SetBackAnHour_GoesOnByTheTimeSinceTheStart) {
  Node node;
  ClockGuard guard = node.Start();
  node.Pass(2h);
  guard.NoteRefresh(node.wall());
  node.SetClock(node.wall() - 1h);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 2h);
  node.Pass(10min);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 2h + 10min);
}

BOOST_AUTO_TEST_CASE(Now_SetBackWithinTheSlack_IsTheWallClock) {
  Node node;
  const ClockGuard guard = node.Start();
  node.Pass(1h);
  node.SetClock(node.wall() - 5min);
  BOOST_CHECK(guard.Now(node.Read()).value() == node.wall());
  node.SetClock(node.wall() - 1s);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 1h);
}

BOOST_AUTO_TEST_CASE(Now_SetBackWhileTheProcessWasDown_IsClockUntilAServerAgrees) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(kStart + 1h + 1s);
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);

  // A server that is not where the clock is does not help.
  BOOST_CHECK(guard.ObserveServerDate(kStart + 10min + 1s, node.Read()) == Agreement::kDisagrees);
  BOOST_CHECK(guard.ObserveServerDate(kStart - 10min - 1s, node.Read()) == Agreement::kDisagrees);
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);

  BOOST_CHECK(guard.ObserveServerDate(kStart + 10min, node.Read()) == Agreement::kStoreFollows);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart);
  BOOST_CHECK(guard.latest_refresh().value() == kStart);
}

BOOST_AUTO_TEST_CASE(Now_AnHourBehindTheLatestRefresh_IsStillBelieved) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(kStart + 1h);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart);
}

BOOST_AUTO_TEST_CASE(Now_ClockError_HasTheSameTextAtEveryCall) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(kStart + kYear);
  const std::string first = guard.Now(node.Read()).error().detail;
  node.Pass(7s);
  BOOST_TEST(guard.Now(node.Read()).error().detail == first);
  BOOST_TEST(first.find("2027-11-24T09:00:00Z") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(AYearForwardAndBack_InOneProcess_LocksNobodyOut) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(node.wall());
  node.SetClock(kStart + kYear);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + kYear);
  guard.NoteRefresh(node.wall());
  node.SetClock(kStart);
  node.Pass(1min);
  // Behind the refresh of the year that never was: nothing is decided until a server agrees.
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);
  BOOST_CHECK(guard.ObserveServerDate(node.wall(), node.Read()) == Agreement::kStoreFollows);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 1min);
}

BOOST_AUTO_TEST_CASE(AYearForwardAndBack_WithARestartInBetween_LocksNobodyOut) {
  Node node(kStart + kYear);
  ClockGuard guard = node.Start();
  guard.NoteRefresh(node.wall());
  node.SetClock(kStart);
  node.Pass(1min);
  // Held at the time since the start, a year ahead: whatever expired by then is refused.
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + kYear + 1min);
  BOOST_CHECK(guard.ObserveServerDate(node.wall(), node.Read()) == Agreement::kStoreFollows);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 1min);
  // From here on the clock may not be set back again.
  node.Pass(1h);
  node.SetClock(kStart);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 1h + 1min);
}

BOOST_AUTO_TEST_CASE(ObserveServerDate_GoodClock_ChangesNothing) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(node.wall());
  node.Pass(1h);
  BOOST_CHECK(guard.ObserveServerDate(node.wall() - 3min, node.Read()) == Agreement::kAgrees);
  BOOST_CHECK(guard.latest_refresh().value() == kStart);
  node.SetClock(kStart);
  BOOST_CHECK(guard.Now(node.Read()).value() == kStart + 1h);
}

BOOST_AUTO_TEST_CASE(NoteRefresh_OlderOnes_DoNotLowerTheLatest) {
  Node node;
  ClockGuard guard = node.Start();
  guard.NoteRefresh(kStart + kYear);
  guard.NoteRefresh(kStart);
  BOOST_CHECK(WhyNot(guard, node) == Reason::kClock);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
