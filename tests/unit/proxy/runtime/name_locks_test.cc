// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/name_locks.h"

#include <grpc/grpc.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <vector>

#include "proxy/runtime/upstream.h"

namespace crivet::proxy {
namespace {

// As in the daemon, where gRPC runs for as long as anything waits.
struct RunningGrpc {
  RunningGrpc() { grpc_init(); }
  ~RunningGrpc() { grpc_shutdown(); }
};

struct Counts {
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::atomic<int> ended{0};
  int unguarded = 0;  // only ever touched under the lock
  std::promise<void> all_ended;
};

Detached Work(NameLocks& locks, const std::string& name, Counts& counts, int total) {
  {
    auto hold = co_await locks.Acquire(name);
    const int inside = ++counts.inside;
    if (inside > counts.most_inside) counts.most_inside = inside;
    ++counts.unguarded;
    co_await Elsewhere();
    --counts.inside;
  }
  if (++counts.ended == total) counts.all_ended.set_value();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(NameLocksTest, RunningGrpc)

BOOST_AUTO_TEST_CASE(OneName_IsHeldByOneAtATimeAndAllGetTheirTurn) {
  NameLocks locks;
  Counts counts;
  constexpr int kTotal = 300;
  const std::string name = "a";
  for (int i = 0; i < kTotal; ++i) Work(locks, name, counts, kTotal);
  counts.all_ended.get_future().wait();
  BOOST_TEST(counts.most_inside == 1);
  BOOST_TEST(counts.unguarded == kTotal);
}

BOOST_AUTO_TEST_CASE(OtherName_IsNotWaitedFor) {
  NameLocks locks;
  Counts first;
  Counts second;
  std::promise<void> release;
  // Holds "a" until told; "b" must get through meanwhile.
  const auto hold_until_told = [](NameLocks& on, std::promise<void>& entered,
                                  std::shared_future<void> told) -> Detached {
    const std::string name = "a";
    auto hold = co_await on.Acquire(name);
    entered.set_value();
    while (told.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      co_await Elsewhere();
    }
  };
  std::promise<void> entered;
  hold_until_told(locks, entered, release.get_future().share());
  entered.get_future().wait();
  const std::string other = "b";
  Work(locks, other, second, 1);
  second.all_ended.get_future().wait();
  const std::string same = "a";
  Work(locks, same, first, 1);
  BOOST_TEST(first.ended == 0);
  release.set_value();
  first.all_ended.get_future().wait();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
