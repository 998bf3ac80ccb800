// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/worker_lanes.h"

#include <algorithm>
#include <system_error>

namespace crivet::trust {

WorkerLanes::WorkerLanes() : WorkerLanes([](Task task) { return std::thread(std::move(task)); }) {}

WorkerLanes::WorkerLanes(MakeThread make_thread) : make_thread_(std::move(make_thread)) {}

WorkerLanes::~WorkerLanes() { Stop(); }

void WorkerLanes::SetQuota(std::size_t threads) {
  const std::lock_guard lock(mutex_);
  quota_ = std::max<std::size_t>(threads, 1);
}

WorkerLanes::Threads WorkerLanes::Submit(const std::string& lane, Task task) {
  return Submit(LaneName(Sort::kKnown, lane), std::move(task));
}

WorkerLanes::Threads WorkerLanes::SubmitToOneOfMany(const std::string& lane, Task task) {
  return Submit(LaneName(Sort::kOneOfMany, lane), std::move(task));
}

WorkerLanes::Threads WorkerLanes::Submit(LaneName name, Task task) {
  std::vector<std::thread> ended;
  auto threads = Threads::kThere;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return threads;
    Lane& lane = lanes_[name];
    lane.waiting.push_back(std::move(task));
    if (lane.running < quota_ && !BeginOrTakeTurn(name)) {
      without_.insert(std::move(name));
      threads = Threads::kWanted;
    }
    ended = TakeEnded();
  }
  for (std::thread& thread : ended) thread.join();
  return threads;
}

// Under the lock. Another thread for the lane, or, at the bound, a turn on those that are there;
// false where there is none to be had.
bool WorkerLanes::BeginOrTakeTurn(const LaneName& name) {
  if (name.first != Sort::kOneOfMany || running_for_many_ < kMostForMany) return Begin(name);
  if (!std::exchange(lanes_[name].in_turn, true)) turns_.push_back(name);
  return true;
}

// Under the lock. Another thread for the lane; false where there is none to be had.
bool WorkerLanes::Begin(const LaneName& name) {
  try {
    // It cannot look for itself in the map before this lock is given back.
    std::thread thread = make_thread_([this, name] { Work(name); });
    threads_.emplace(thread.get_id(), std::move(thread));
  } catch (const std::system_error&) {
    return false;
  }
  ++lanes_[name].running;
  if (name.first == Sort::kOneOfMany) ++running_for_many_;
  return true;
}

WorkerLanes::Threads WorkerLanes::LookForThreads() {
  const std::lock_guard lock(mutex_);
  while (!without_.empty() && !stopped_) {
    const auto name = without_.begin();
    const auto lane = lanes_.find(*name);
    const bool waits = lane != lanes_.end() && lane->second.running < quota_ &&
                       !lane->second.waiting.empty() && !lane->second.in_turn;
    if (waits && !BeginOrTakeTurn(*name)) return Threads::kWanted;
    without_.erase(name);
  }
  return Threads::kThere;
}

void WorkerLanes::Work(LaneName name) {
  std::unique_lock lock(mutex_);
  const bool of_many = name.first == Sort::kOneOfMany;
  WorkIn(name, lock);
  while (of_many && !turns_.empty()) {
    name = std::move(turns_.front());
    turns_.pop_front();
    Lane& next = lanes_[name];
    next.in_turn = false;
    const bool others_do_it = next.waiting.empty() || next.running >= quota_;
    ++next.running;
    others_do_it ? Leave(name) : WorkIn(name, lock);
  }
  if (of_many) --running_for_many_;
  const auto self = threads_.find(std::this_thread::get_id());
  ended_.push_back(std::move(self->second));
  threads_.erase(self);
  ended_changed_.notify_all();
}

// Under the lock, but for the tasks. Who waits for a turn gets the thread after one task.
void WorkerLanes::WorkIn(const LaneName& name, std::unique_lock<std::mutex>& lock) {
  const bool of_many = name.first == Sort::kOneOfMany;
  Lane& lane = lanes_[name];
  while (!lane.waiting.empty()) {
    Task task = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
    if (of_many && !turns_.empty()) break;
  }
  if (!lane.waiting.empty() && !std::exchange(lane.in_turn, true)) turns_.push_back(name);
  Leave(name);
}

// Under the lock.
void WorkerLanes::Leave(const LaneName& name) {
  Lane& lane = lanes_[name];
  --lane.running;
  if (lane.running == 0 && lane.waiting.empty() && !lane.in_turn) lanes_.erase(name);
}

std::vector<std::thread> WorkerLanes::TakeEnded() { return std::exchange(ended_, {}); }

void WorkerLanes::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  for (auto& [name, lane] : lanes_) lane.waiting.clear();
  ended_changed_.wait(lock, [this] { return threads_.empty(); });
  std::vector<std::thread> ended = TakeEnded();
  lock.unlock();
  for (std::thread& thread : ended) thread.join();
}

}  // namespace crivet::trust
