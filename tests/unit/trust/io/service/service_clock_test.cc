// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_clock.h"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Agreement = ClockGuard::Agreement;

const TimePoint kBuilt = ParseRfc3339("2026-11-01T00:00:00Z").value();
const TimePoint kStart = ParseRfc3339("2026-11-24T09:00:00Z").value();

/// A machine whose wall clock somebody can set; its boot time only goes forward.
struct Machine {
  Moment moment{kStart, 1'000'000ms};

  void Pass(std::chrono::seconds time) {
    moment.wall += time;
    moment.since_boot += time;
  }
  ServiceClock Clock() {
    return ServiceClock(kBuilt, [this] { return moment; });
  }
};

BOOST_AUTO_TEST_SUITE(ServiceClockTest)

BOOST_AUTO_TEST_CASE(Now_IsTheWallClock_ReadAnewEachTime) {
  Machine machine;
  const ServiceClock clock = machine.Clock();
  BOOST_CHECK(clock.Now().value() == kStart);
  machine.Pass(3h);
  BOOST_CHECK(clock.Now().value() == kStart + 3h);
  BOOST_CHECK(clock.Read().since_boot == machine.moment.since_boot);
}

BOOST_AUTO_TEST_CASE(Now_SetBack_GoesOnFromTheStart) {
  Machine machine;
  const ServiceClock clock = machine.Clock();
  machine.Pass(2h);
  machine.moment.wall -= 1h;
  BOOST_CHECK(clock.Now().value() == kStart + 2h);
}

BOOST_AUTO_TEST_CASE(Now_BeforeTheBuild_IsClock) {
  Machine machine;
  machine.moment.wall = kBuilt - 1s;
  const ServiceClock clock = machine.Clock();
  BOOST_REQUIRE(!clock.Now());
  BOOST_CHECK(clock.Now().error().reason == Reason::kClock);
}

// A clock that is far behind what the store remembers is not believed, until a server confirms it.
BOOST_AUTO_TEST_CASE(NoteStored_AheadOfTheClock_HoldsUntilAServerConfirmsTheClock) {
  Machine machine;
  ServiceClock clock = machine.Clock();
  const TimePoint ahead = kStart + 48h;
  BOOST_CHECK(clock.NoteStored(ahead) == ahead);
  BOOST_CHECK(!clock.Now());
  BOOST_CHECK(clock.ObserveServerDate(kStart) != Agreement::kDisagrees);
  BOOST_CHECK(clock.Now().value() == kStart);
  // What another repository's state says later is no more than the clock's word now.
  BOOST_CHECK(clock.NoteStored(ahead) == kStart);
  BOOST_CHECK(clock.NoteStored(kStart - 1h) == kStart - 1h);
  BOOST_CHECK(clock.Now().value() == kStart);
}

BOOST_AUTO_TEST_CASE(ServerThatDisagrees_ConfirmsNothing) {
  Machine machine;
  ServiceClock clock = machine.Clock();
  BOOST_CHECK(clock.ObserveServerDate(kStart + 48h) == Agreement::kDisagrees);
  const TimePoint ahead = kStart + 48h;
  BOOST_CHECK(clock.NoteStored(ahead) == ahead);
  BOOST_CHECK(!clock.Now());
}

BOOST_AUTO_TEST_CASE(MomentOfMachine_IsAfterTheBuild_AndBootTimeOnlyGrows) {
  const Moment first = Moment::OfMachine();
  const Moment second = Moment::OfMachine();
  BOOST_CHECK(first.wall >= BuildDate());
  BOOST_CHECK(second.since_boot >= first.since_boot);
  BOOST_CHECK(first.since_boot > 0ms);
}

BOOST_AUTO_TEST_CASE(SeveralThreads_MayAskAndTell) {
  Machine machine;
  ServiceClock clock = machine.Clock();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&clock] {
      for (int n = 0; n < 200; ++n) {
        (void)clock.Now();
        clock.NoteRefresh(kStart);
        (void)clock.NoteStored(kStart);
        (void)clock.ObserveServerDate(kStart);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_CHECK(clock.Now().value() == kStart);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
