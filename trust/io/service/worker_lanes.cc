// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/worker_lanes.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

WorkerLanes::~WorkerLanes() { Stop(); }

void WorkerLanes::SetQuota(std::size_t threads) {
  const std::lock_guard lock(mutex_);
  quota_ = std::max<std::size_t>(threads, 1);
}

void WorkerLanes::Submit(const std::string& lane_name, Task task) {
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    Lane& lane = lanes_[lane_name];
    lane.waiting.push_back(std::move(task));
    if (lane.running < quota_) {
      ++lane.running;
      // The thread cannot look for itself in the map before this lock is given back.
      std::thread thread([this, &lane] { Work(lane); });
      threads_.emplace(thread.get_id(), std::move(thread));
    }
    ended = TakeEnded();
  }
  for (std::thread& thread : ended) thread.join();
}

void WorkerLanes::Work(Lane& lane) {
  std::unique_lock lock(mutex_);
  while (!lane.waiting.empty()) {
    Task task = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
  --lane.running;
  const auto self = threads_.find(std::this_thread::get_id());
  ended_.push_back(std::move(self->second));
  threads_.erase(self);
  ended_changed_.notify_all();
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
