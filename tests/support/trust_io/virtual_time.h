// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "trust/base/time.h"
#include "trust/io/service/service_threads.h"

namespace crivet::trust {

/// VirtualTime is the time of many nodes in one process. It stands still while anybody works, and
/// goes on to the next moment that somebody waits for, in whole slices. Work is done by a bounded
/// number of workers for all nodes together, or by whoever runs it. Thread-safe but for Run, which
/// is one thread's.
class VirtualTime {
 public:
  using Clock = Timetable::Clock;
  using Task = Timetable::Task;
  static constexpr std::chrono::milliseconds kSlice{500};

  /// With no workers, whoever calls Run works.
  VirtualTime(TimePoint begin, std::size_t workers);
  /// Precondition: every ServiceThreads of it has gone.
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// Since it began.
  std::chrono::milliseconds passed() const;
  TimePoint wall() const { return begin_ + std::chrono::floor<std::chrono::seconds>(passed()); }

  void At(std::chrono::milliseconds after_begin, Task task);
  /// Lets so much time pass. When it returns, nobody works.
  void Run(std::chrono::milliseconds time);

  /// For one node. It must not outlive this.
  std::unique_ptr<ServiceThreads> Threads();

 private:
  class NodeThreads;
  struct Planned {
    NodeThreads* whose;
    Task task;
  };
  struct Work {
    NodeThreads* whose;
    Task task;
  };

  Clock::time_point now() const;
  Timetable::Ticket Plan(NodeThreads* whose, Clock::time_point when, Task task);
  void Drop(const Timetable::Ticket& ticket);
  void Submit(NodeThreads* whose, Task task);
  /// Of that node: what has not begun is gone, what has begun has ended.
  void End(NodeThreads* whose);

  void WorkUntilStopped();
  /// Under the lock, but for the task. False where there is nothing to do.
  bool WorkOnce(std::unique_lock<std::mutex>& lock);
  /// Runs what is planned until now; whether there was anything.
  bool RunPlanned();
  void AwaitRest();

  const TimePoint begin_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::chrono::milliseconds passed_{0};
  std::map<Timetable::Ticket, Planned> planned_;
  std::uint64_t last_number_ = 0;
  std::deque<Work> waiting_;
  std::map<NodeThreads*, std::size_t> working_;
  bool stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace crivet::trust
