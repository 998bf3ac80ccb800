// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/timetable.h"

#include <boost/test/unit_test.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace crivet::trust {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Clock = Timetable::Clock;

}  // namespace

BOOST_AUTO_TEST_SUITE(TimetableTest)

BOOST_AUTO_TEST_CASE(Tasks_RunInTheOrderOfTheirTimes) {
  Timetable timetable;
  std::string order;
  std::promise<void> ended;
  const auto now = Clock::now();
  timetable.At(now + milliseconds(20), [&] { order += "b"; });
  timetable.At(now + milliseconds(30), [&] { ended.set_value(); });
  timetable.At(now + milliseconds(10), [&] { order += "a"; });
  ended.get_future().wait();
  BOOST_TEST(order == "ab");
}

// What was replaced must not wait for its time in memory.
BOOST_AUTO_TEST_CASE(DroppedTask_IsGoneAtOnceAndDoesNotRun) {
  Timetable timetable;
  bool ran = false;
  const auto held = std::make_shared<int>(0);
  const auto when = Clock::now() + milliseconds(20);
  const auto dropped = timetable.At(when, [&ran, held] { ran = true; });
  const auto far = timetable.At(Clock::now() + hours(1), [held] {});
  timetable.Drop(dropped);
  timetable.Drop(far);
  BOOST_TEST(held.use_count() == 1);
  std::promise<void> ended;
  timetable.At(when, [&] { ended.set_value(); });
  ended.get_future().wait();
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(DropOfATaskThatRan_DoesNothing) {
  Timetable timetable;
  std::promise<void> ran;
  const auto ticket = timetable.At(Clock::now(), [&] { ran.set_value(); });
  ran.get_future().wait();
  std::promise<void> other;
  timetable.At(Clock::now() + milliseconds(10), [&] { other.set_value(); });
  timetable.Drop(ticket);
  timetable.Drop(Timetable::Ticket());
  other.get_future().wait();
}

// What waits for an answer lets go of its deadline on threads that outlive the timetable's own.
BOOST_AUTO_TEST_CASE(Drop_WhileItStops_LeavesNothingTwice) {
  for (int round = 0; round < 50; ++round) {
    Timetable timetable;
    std::vector<Timetable::Ticket> tickets;
    for (int i = 0; i < 1000; ++i) {
      tickets.push_back(timetable.At(Clock::now() + hours(1 + i), [] {}));
    }
    std::thread dropping([&] {
      for (const Timetable::Ticket& ticket : tickets) timetable.Drop(ticket);
    });
    timetable.Stop();
    dropping.join();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
