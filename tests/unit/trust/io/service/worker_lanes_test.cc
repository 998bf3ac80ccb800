// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/worker_lanes.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <latch>
#include <string>
#include <system_error>
#include <thread>

namespace crivet::trust {
namespace {

/// A task that stays until it is let go.
class Hanging {
 public:
  WorkerLanes::Task Task() {
    return [this] {
      began_.set_value();
      let_go_.get_future().wait();
    };
  }
  void AwaitBegin() { began_.get_future().wait(); }
  void LetGo() { let_go_.set_value(); }

 private:
  std::promise<void> began_;
  std::promise<void> let_go_;
};

// The lanes are the last thing that a test makes: a task may go on for a moment after it has told
// that it is done, and the lanes' end waits for it while what it refers to is still there.
BOOST_AUTO_TEST_SUITE(WorkerLanesTest)

BOOST_AUTO_TEST_CASE(TasksOfALane_BeginInTheirOrder) {
  std::string order;
  std::promise<void> ended;
  WorkerLanes lanes;
  for (const char name : std::string("abcdef")) lanes.Submit("disk", [&, name] { order += name; });
  lanes.Submit("disk", [&] { ended.set_value(); });
  ended.get_future().wait();
  BOOST_TEST(order == "abcdef");
}

/// A machine that has no thread to give until it is told.
struct Scarce {
  std::atomic<bool> has_none{true};
  std::atomic<std::size_t> made{0};
  WorkerLanes::MakeThread Maker() {
    return [this](WorkerLanes::Task task) {
      if (has_none) {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      }
      ++made;
      return std::thread(std::move(task));
    };
  }
};

BOOST_AUTO_TEST_CASE(WithoutAThread_TasksWaitForOne_InTheirOrder) {
  using Threads = WorkerLanes::Threads;
  Scarce machine;
  std::string order;
  std::promise<void> known;
  std::promise<void> of_many;
  WorkerLanes lanes(machine.Maker());
  BOOST_TEST((lanes.Submit("disk", [&] { order += 'a'; }) == Threads::kWanted));
  lanes.Submit("disk", [&] {
    order += 'b';
    known.set_value();
  });
  lanes.SubmitToOneOfMany("made-up.example", [&] { of_many.set_value(); });
  BOOST_TEST((lanes.LookForThreads() == Threads::kWanted));
  machine.has_none = false;
  BOOST_TEST((lanes.LookForThreads() == Threads::kThere));
  known.get_future().wait();
  of_many.get_future().wait();
  BOOST_TEST(order == "ab");
}

// What is at work takes the rest.
BOOST_AUTO_TEST_CASE(WithoutAnotherThread_OneDoesForItsLane) {
  Scarce machine;
  machine.has_none = false;
  Hanging hanging;
  std::promise<void> second;
  WorkerLanes lanes(machine.Maker());
  lanes.SetQuota(2);
  lanes.Submit("disk", hanging.Task());
  hanging.AwaitBegin();
  machine.has_none = true;
  lanes.Submit("disk", [&] { second.set_value(); });
  hanging.LetGo();
  second.get_future().wait();
}

BOOST_AUTO_TEST_CASE(LaneThatHangs_TakesNoThreadFromAnother) {
  Hanging hanging;
  std::promise<void> other;
  WorkerLanes lanes;
  lanes.Submit("slow.example", hanging.Task());
  hanging.AwaitBegin();
  lanes.Submit("slow.example", [] {});
  lanes.Submit("fast.example", [&] { other.set_value(); });
  other.get_future().wait();
  hanging.LetGo();
}

BOOST_AUTO_TEST_CASE(LanesOfMany_HaveABoundTogether_AndTakeTurnsThere) {
  std::latch all_begun(WorkerLanes::kMostForMany);
  std::promise<void> let_go;
  const std::shared_future<void> go = let_go.get_future().share();
  std::atomic<int> done{0};
  std::promise<void> all_done;
  std::promise<void> known;
  WorkerLanes lanes;
  lanes.SetQuota(8);
  for (std::size_t i = 0; i < WorkerLanes::kMostForMany; ++i) {
    lanes.SubmitToOneOfMany("made-up-" + std::to_string(i / 8) + ".example", [&] {
      all_begun.count_down();
      go.wait();
    });
  }
  all_begun.wait();
  constexpr int kLate = 40;
  for (int i = 0; i < kLate; ++i) {
    // Two of a lane: the second comes in when its turn comes again.
    lanes.SubmitToOneOfMany("late-" + std::to_string(i / 2) + ".example", [&] {
      if (++done == kLate) all_done.set_value();
    });
  }
  // What hangs there takes no thread from a lane of its own.
  lanes.Submit("server.example", [&] { known.set_value(); });
  known.get_future().wait();
  BOOST_TEST(done == 0);
  let_go.set_value();
  all_done.get_future().wait();
}

// Lanes that got no thread at first have no more of them in the end.
BOOST_AUTO_TEST_CASE(WithoutThreads_LanesOfMany_HaveTheirBoundOnceThereAreSome) {
  constexpr std::size_t kLanes = 3 * WorkerLanes::kMostForMany;
  Scarce machine;
  std::promise<void> let_go;
  const std::shared_future<void> go = let_go.get_future().share();
  std::atomic<std::size_t> at_once{0};
  std::atomic<std::size_t> most{0};
  std::atomic<std::size_t> done{0};
  std::promise<void> all_done;
  WorkerLanes lanes(machine.Maker());
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes.SubmitToOneOfMany("made-up-" + std::to_string(i) + ".example", [&] {
      const std::size_t now = ++at_once;
      for (std::size_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      go.wait();
      --at_once;
      if (++done == kLanes) all_done.set_value();
    });
  }
  machine.has_none = false;
  BOOST_TEST((lanes.LookForThreads() == WorkerLanes::Threads::kThere));
  while (at_once < WorkerLanes::kMostForMany) std::this_thread::yield();
  let_go.set_value();
  all_done.get_future().wait();
  BOOST_TEST(machine.made == WorkerLanes::kMostForMany);
  BOOST_TEST(most == WorkerLanes::kMostForMany);
}

BOOST_AUTO_TEST_CASE(StoppedAtTheBound_DropsWhatWaits) {
  std::atomic<int> ran{0};
  {
    std::latch all_begun(WorkerLanes::kMostForMany);
    std::promise<void> let_go;
    const std::shared_future<void> go = let_go.get_future().share();
    WorkerLanes lanes;
    for (std::size_t i = 0; i < WorkerLanes::kMostForMany + 5; ++i) {
      lanes.SubmitToOneOfMany("made-up-" + std::to_string(i) + ".example", [&, go] {
        ++ran;
        if (ran <= static_cast<int>(WorkerLanes::kMostForMany)) all_begun.count_down();
        go.wait();
      });
    }
    all_begun.wait();
    std::thread stopper([&] { lanes.Stop(); });
    // Either order is right; that it ends is what counts.
    let_go.set_value();
    stopper.join();
  }
  BOOST_TEST(ran >= static_cast<int>(WorkerLanes::kMostForMany));
}

BOOST_AUTO_TEST_CASE(Lane_HasAsManyThreadsAsItsQuota) {
  constexpr int kQuota = 3;
  std::latch all_at_once(kQuota);  // nobody gets past it alone
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::latch ended(4 * kQuota);
  WorkerLanes lanes;
  lanes.SetQuota(kQuota);
  for (int i = 0; i < 4 * kQuota; ++i) {
    lanes.Submit("a", [&, i] {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
      if (i < kQuota) all_at_once.arrive_and_wait();
      --running;
      ended.count_down();
    });
  }
  ended.wait();
  BOOST_TEST(most == kQuota);
}

BOOST_AUTO_TEST_CASE(QuotaOfNone_IsOne) {
  std::promise<void> ran;
  WorkerLanes lanes;
  lanes.SetQuota(0);
  lanes.Submit("a", [&] { ran.set_value(); });
  ran.get_future().wait();
}

BOOST_AUTO_TEST_CASE(Stop_WaitsForWhatHasBegun_AndDropsTheRest) {
  Hanging hanging;
  std::atomic<bool> hung_ended{false};
  std::atomic<bool> dropped_ran{false};
  const auto held = std::make_shared<int>(0);
  WorkerLanes lanes;
  lanes.Submit("a", [&, task = hanging.Task()] {
    task();
    hung_ended = true;
  });
  hanging.AwaitBegin();
  lanes.Submit("a", [&dropped_ran, held] { dropped_ran = true; });
  auto stopped = std::async(std::launch::async, [&] { lanes.Stop(); });
  while (held.use_count() > 1) std::this_thread::yield();  // what was dropped is gone at once
  BOOST_TEST(!hung_ended);
  hanging.LetGo();
  stopped.get();
  BOOST_TEST(hung_ended);
  lanes.Submit("a", [&] { dropped_ran = true; });
  lanes.Stop();
  BOOST_TEST(!dropped_ran);
}

BOOST_AUTO_TEST_CASE(TaskOfATask_RunsInTheSameLane) {
  std::promise<void> ran;
  WorkerLanes lanes;
  lanes.Submit("a", [&] { lanes.Submit("a", [&] { ran.set_value(); }); });
  ran.get_future().wait();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
