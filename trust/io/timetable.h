#pragma once

#include <chrono>
#include <condition_variable>
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

  Timetable();
  /// Stops, as Stop does.
  ~Timetable();
  Timetable(const Timetable&) = delete;
  Timetable& operator=(const Timetable&) = delete;

  void At(Clock::time_point when, Task task);

  /// Drops what is not due yet and waits for the task that runs. Nothing runs afterwards.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Task> tasks_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace crivet::trust
