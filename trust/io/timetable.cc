#include "trust/io/timetable.h"

#include <utility>

namespace crivet::trust {

Timetable::Timetable() : thread_([this] { Run(); }) {}

Timetable::~Timetable() { Stop(); }

void Timetable::At(Clock::time_point when, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  const auto added = tasks_.emplace(when, std::move(task));
  if (added == tasks_.begin()) changed_.notify_one();
}

void Timetable::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  tasks_.clear();
}

void Timetable::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point next = tasks_.begin()->first;
    if (Clock::now() < next) {
      changed_.wait_until(lock, next);
      continue;
    }
    Task task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace crivet::trust
