// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/virtual_time.h"

#include <algorithm>
#include <string>
#include <utility>

namespace crivet::trust {

using std::chrono::milliseconds;

/// What one service takes for the threads of its own.
class VirtualTime::NodeThreads final : public ServiceThreads {
 public:
  explicit NodeThreads(VirtualTime& time) : time_(time) {}
  ~NodeThreads() override { Stop(); }
  NodeThreads(const NodeThreads&) = delete;
  NodeThreads& operator=(const NodeThreads&) = delete;

  Clock::time_point Now() const override { return time_.now(); }
  Timetable::Ticket At(Clock::time_point when, Timetable::Task task) override {
    return time_.Plan(this, when, std::move(task));
  }
  void Drop(const Timetable::Ticket& ticket) override { time_.Drop(ticket); }

  void SetQuota(std::size_t /*threads*/) override {}
  void Submit(const std::string& /*lane*/, WorkerLanes::Task task) override {
    time_.Submit(this, std::move(task));
  }
  void SubmitToOneOfMany(const std::string& /*lane*/, WorkerLanes::Task task) override {
    time_.Submit(this, std::move(task));
  }
  void Stop() override { time_.End(this); }

  bool stopped = false;  ///< under the lock of the time

 private:
  VirtualTime& time_;
};

VirtualTime::VirtualTime(TimePoint begin, std::size_t workers) : begin_(begin) {
  for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { WorkUntilStopped(); });
}

VirtualTime::~VirtualTime() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
}

milliseconds VirtualTime::passed() const {
  const std::lock_guard lock(mutex_);
  return passed_;
}

VirtualTime::Clock::time_point VirtualTime::now() const { return Clock::time_point(passed()); }

std::unique_ptr<ServiceThreads> VirtualTime::Threads() {
  return std::make_unique<NodeThreads>(*this);
}

void VirtualTime::At(milliseconds after_begin, Task task) {
  Plan(nullptr, Clock::time_point(after_begin), std::move(task));
}

Timetable::Ticket VirtualTime::Plan(NodeThreads* whose, Clock::time_point when, Task task) {
  const std::lock_guard lock(mutex_);
  if (whose != nullptr && whose->stopped) return {};
  const Timetable::Ticket ticket{when, ++last_number_};
  planned_.emplace(ticket, Planned{whose, std::move(task)});
  return ticket;
}

void VirtualTime::Drop(const Timetable::Ticket& ticket) {
  Task dropped;  // goes without the lock
  const std::lock_guard lock(mutex_);
  const auto found = planned_.find(ticket);
  if (found == planned_.end()) return;
  dropped = std::move(found->second.task);
  planned_.erase(found);
}

void VirtualTime::Submit(NodeThreads* whose, Task task) {
  const std::lock_guard lock(mutex_);
  if (whose->stopped) return;
  waiting_.push_back({whose, std::move(task)});
  changed_.notify_all();
}

void VirtualTime::End(NodeThreads* whose) {
  std::deque<Task> dropped;  // go without the lock
  std::unique_lock lock(mutex_);
  whose->stopped = true;
  for (auto one = planned_.begin(); one != planned_.end();) {
    if (one->second.whose != whose) {
      ++one;
      continue;
    }
    dropped.push_back(std::move(one->second.task));
    one = planned_.erase(one);
  }
  for (Work& work : waiting_) {
    if (work.whose == whose) dropped.push_back(std::move(work.task));
  }
  std::erase_if(waiting_, [&](const Work& work) { return work.whose == whose; });
  changed_.wait(lock, [&] { return !working_.contains(whose); });
  lock.unlock();
}

bool VirtualTime::WorkOnce(std::unique_lock<std::mutex>& lock) {
  if (waiting_.empty()) return false;
  Work work = std::move(waiting_.front());
  waiting_.pop_front();
  ++working_[work.whose];
  lock.unlock();
  work.task();
  work.task = nullptr;
  lock.lock();
  if (--working_[work.whose] == 0) working_.erase(work.whose);
  changed_.notify_all();
  return true;
}

void VirtualTime::WorkUntilStopped() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (!WorkOnce(lock)) changed_.wait(lock);
  }
}

bool VirtualTime::RunPlanned() {
  bool any = false;
  std::unique_lock lock(mutex_);
  while (!planned_.empty() && planned_.begin()->first.when <= Clock::time_point(passed_)) {
    Task task = std::move(planned_.begin()->second.task);
    planned_.erase(planned_.begin());
    any = true;
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
  return any;
}

void VirtualTime::AwaitRest() {
  std::unique_lock lock(mutex_);
  if (workers_.empty()) {
    while (WorkOnce(lock)) {
    }
    return;
  }
  changed_.wait(lock, [this] { return waiting_.empty() && working_.empty(); });
}

void VirtualTime::Run(milliseconds time) {
  const milliseconds end = passed() + time;
  while (true) {
    while (RunPlanned()) AwaitRest();
    AwaitRest();
    const std::lock_guard lock(mutex_);
    const bool more =
        !planned_.empty() && planned_.begin()->first.when <= Clock::time_point(passed_);
    if (more || !waiting_.empty()) continue;
    if (passed_ >= end) return;
    milliseconds next = end;
    if (!planned_.empty()) {
      const auto wanted =
          std::chrono::ceil<milliseconds>(planned_.begin()->first.when.time_since_epoch());
      next = std::min(end, (wanted + kSlice - milliseconds{1}) / kSlice * kSlice);
    }
    passed_ = std::max(passed_, next);
  }
}

}  // namespace crivet::trust
