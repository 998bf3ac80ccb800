// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace crivet::trust {

/// WorkerLanes runs tasks on threads that live only as long as there is work. Each lane (a server,
/// the disk) has a quota of its own, so that tasks which hang in one lane take no thread from
/// another. Tasks of a lane begin in their order. Thread-safe.
class WorkerLanes {
 public:
  using Task = std::function<void()>;

  WorkerLanes() = default;
  /// Stops, as Stop does.
  ~WorkerLanes();
  WorkerLanes(const WorkerLanes&) = delete;
  WorkerLanes& operator=(const WorkerLanes&) = delete;

  /// Threads that each lane may have from now on; at least one.
  void SetQuota(std::size_t threads);

  /// The task runs soon, on another thread; never after Stop.
  void Submit(const std::string& lane, Task task);

  /// Drops tasks that have not begun and waits for those that have.
  void Stop();

 private:
  struct Lane {
    std::deque<Task> waiting;
    std::size_t running = 0;
  };

  void Work(Lane& lane);
  /// Takes the threads that have done their work, to be joined without the lock.
  std::vector<std::thread> TakeEnded();

  std::mutex mutex_;
  std::condition_variable ended_changed_;
  std::size_t quota_ = 1;
  bool stopped_ = false;
  std::map<std::string, Lane> lanes_;  // never erased: threads hold references
  std::map<std::thread::id, std::thread> threads_;
  std::vector<std::thread> ended_;
};

}  // namespace crivet::trust
