// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace crivet::trust {

/// WorkerLanes runs tasks on threads that live only as long as there is work. Each lane (a server,
/// the disk) has a quota of its own, so that tasks which hang in one lane take no thread from
/// another. Lanes whose names are chosen outside (a registry) have a bound on their threads
/// together, and take turns where it is reached. Tasks of a lane begin in their order. Where the
/// machine gives no thread the tasks wait for one. Thread-safe.
class WorkerLanes {
 public:
  using Task = std::function<void()>;
  static constexpr std::size_t kMostForMany = 64;
  /// Makes a thread, or throws std::system_error as std::thread does.
  using MakeThread = std::function<std::thread(Task)>;

  WorkerLanes();
  explicit WorkerLanes(MakeThread make_thread);
  /// Stops, as Stop does.
  ~WorkerLanes();
  WorkerLanes(const WorkerLanes&) = delete;
  WorkerLanes& operator=(const WorkerLanes&) = delete;

  /// Threads that each lane may have from now on; at least one.
  void SetQuota(std::size_t threads);

  enum class Threads : std::uint8_t {
    kThere,
    kWanted,  ///< some lane has tasks and one less than it may: LookForThreads
  };
  /// The task runs soon, on another thread; never after Stop.
  Threads Submit(const std::string& lane, Task task);
  /// The same in a lane of which there is any number, apart from all others.
  Threads SubmitToOneOfMany(const std::string& lane, Task task);
  /// For lanes that could have none.
  Threads LookForThreads();

  /// Drops tasks that have not begun and waits for those that have.
  void Stop();

 private:
  enum class Sort : std::uint8_t { kKnown, kOneOfMany };
  using LaneName = std::pair<Sort, std::string>;
  struct Lane {
    std::deque<Task> waiting;
    std::size_t running = 0;
    bool in_turn = false;
  };

  Threads Submit(LaneName name, Task task);
  bool BeginOrTakeTurn(const LaneName& name);
  bool Begin(const LaneName& name);
  void Work(LaneName name);
  /// One thread's part in a lane, which has none of it after.
  void WorkIn(const LaneName& name, std::unique_lock<std::mutex>& lock);
  void Leave(const LaneName& name);
  /// Takes the threads that have done their work, to be joined without the lock.
  std::vector<std::thread> TakeEnded();

  const MakeThread make_thread_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  std::size_t quota_ = 1;
  bool stopped_ = false;
  std::map<LaneName, Lane> lanes_;  // those with something to do
  std::size_t running_for_many_ = 0;
  /// Lanes of many that wait for a thread.
  std::deque<LaneName> turns_;
  /// Lanes for which there was none, or not one more, to be had.
  std::set<LaneName> without_;
  std::map<std::thread::id, std::thread> threads_;
  std::vector<std::thread> ended_;
};

}  // namespace crivet::trust
