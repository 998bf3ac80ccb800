// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace crivet::trust {

/// Timetable runs tasks at their time, one after another, on a thread of its own. It sleeps until
/// the next one is due and wakes for nothing else. Tasks must be short. Thread-safe.
class Timetable {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;
  /// Names a task that is on the timetable; a default one names none.
  struct Ticket {
    Clock::time_point when;
    std::uint64_t number = 0;
    friend auto operator<=>(const Ticket&, const Ticket&) = default;
  };

  Timetable();
  /// Stops, as Stop does.
  ~Timetable();
  Timetable(const Timetable&) = delete;
  Timetable& operator=(const Timetable&) = delete;

  Ticket At(Clock::time_point when, Task task);

  /// The task will not run, and what it holds is gone. Nothing happens where it has begun.
  void Drop(const Ticket& ticket);

  /// Drops what is not due yet and waits for the task that runs. Nothing runs afterwards.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Ticket, Task> tasks_;
  std::uint64_t last_number_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace crivet::trust
