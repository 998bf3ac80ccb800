// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/message_budget.h"

#include <boost/test/unit_test.hpp>
#include <list>
#include <memory>

namespace crivet::proxy {
namespace {

struct Messages {
  bool Holds(pid_t process, std::size_t bytes) {
    return held.emplace_back(budget, process).Hold(bytes);
  }

  std::shared_ptr<MessageBudget> budget = std::make_shared<MessageBudget>(
      MessageBudget::Limits{.message = 60, .total = 120, .small = 2, .all_small = 10});
  std::list<MessageBudget::Holding> held;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(MessageBudgetTest, Messages)

BOOST_AUTO_TEST_CASE(Process_HoldsHalfOfItAtMost) {
  BOOST_TEST(Holds(1, 40));
  BOOST_TEST(!Holds(1, 21));
  BOOST_TEST(Holds(1, 20));
  held.clear();
  BOOST_TEST(Holds(1, 60));
}

BOOST_AUTO_TEST_CASE(Process_LeavesAsMuchToOthersAsItHolds) {
  BOOST_TEST(Holds(1, 60));
  BOOST_TEST(!Holds(2, 31));
  BOOST_TEST(Holds(2, 30));
  BOOST_TEST(!Holds(3, 16));
  BOOST_TEST(Holds(3, 15));
}

// However many processes somebody has, what they hold together has an end, and is never all.
BOOST_AUTO_TEST_CASE(ManyProcesses_LeaveRoom) {
  std::size_t all = 0;
  for (pid_t process = 1; process <= 100; ++process) {
    for (std::size_t bytes = 60; bytes > 2; --bytes) {
      if (!Holds(process, bytes)) continue;
      all += bytes;
      break;
    }
  }
  BOOST_TEST(all < 120U);
}

BOOST_AUTO_TEST_CASE(SmallMessage_DependsOnNoOtherProcessAndOnNoLargeOne) {
  BOOST_TEST(Holds(1, 60));
  BOOST_TEST(Holds(2, 30));
  BOOST_TEST(Holds(3, 15));
  for (const pid_t process : {1, 2, 3, 4}) {
    for (int i = 0; i < 5; ++i) BOOST_TEST(Holds(process, 2));
    BOOST_TEST(!Holds(process, 2));
  }
}

BOOST_AUTO_TEST_CASE(SmallMessages_LeaveTheLargeOnesTheirRoom) {
  for (pid_t process = 1; process <= 100; ++process) BOOST_TEST(Holds(process, 2));
  BOOST_TEST(Holds(7, 60));
}

BOOST_AUTO_TEST_CASE(MessageThatGrows_IsCountedOnce) {
  MessageBudget::Holding& one = held.emplace_back(budget, 1);
  for (std::size_t bytes = 1; bytes <= 60; ++bytes) BOOST_TEST(one.Hold(bytes));
  BOOST_TEST(!one.Hold(61));
  BOOST_TEST(!Holds(1, 3));
  BOOST_TEST(one.Hold(50));
  BOOST_TEST(Holds(1, 10));
}

BOOST_AUTO_TEST_CASE(LessThanBefore_IsAlwaysHeld) {
  MessageBudget::Holding& one = held.emplace_back(budget, 1);
  BOOST_TEST(one.Hold(60));
  for (pid_t process = 2; process < 40; ++process) Holds(process, 30);
  BOOST_TEST(one.Hold(59));
  BOOST_TEST(one.Hold(2));
  BOOST_TEST(one.Hold(0));
}

BOOST_AUTO_TEST_CASE(Words_AreTheSameForEverySize) {
  const MessageBudget as_it_is;
  BOOST_TEST(
      as_it_is.TooLarge() ==
      "crivet takes requests of up to 64 MiB, without their compression: this one is larger");
  BOOST_TEST(as_it_is.NoRoom() == budget->NoRoom());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
