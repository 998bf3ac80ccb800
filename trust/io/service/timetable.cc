// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/timetable.h"

#include <utility>

namespace crivet::trust {

Timetable::Timetable() : thread_([this] { Run(); }) {}

Timetable::~Timetable() { Stop(); }

Timetable::Ticket Timetable::At(Clock::time_point when, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return {};
  const Ticket ticket{when, ++last_number_};
  const auto added = tasks_.emplace(ticket, std::move(task)).first;
  if (added == tasks_.begin()) changed_.notify_one();
  return ticket;
}

void Timetable::Drop(const Ticket& ticket) {
  Task dropped;  // goes without the lock
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find(ticket);
  if (found == tasks_.end()) return;
  dropped = std::move(found->second);
  tasks_.erase(found);
}

void Timetable::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  // Others may still drop theirs; what a task holds goes without the lock.
  std::map<Ticket, Task> left;
  const std::lock_guard lock(mutex_);
  left.swap(tasks_);
}

void Timetable::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point next = tasks_.begin()->first.when;
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
