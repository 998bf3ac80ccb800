// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_threads.h"

#include <atomic>
#include <utility>

namespace crivet::trust {
namespace {

// The machine may have no thread to give for a moment.
constexpr std::chrono::milliseconds kLookAgain{100};

class Own final : public ServiceThreads {
 public:
  Timetable::Clock::time_point Now() const override { return Timetable::Clock::now(); }
  Timetable::Ticket At(Timetable::Clock::time_point when, Timetable::Task task) override {
    return timetable_.At(when, std::move(task));
  }
  void Drop(const Timetable::Ticket& ticket) override { timetable_.Drop(ticket); }

  void SetQuota(std::size_t threads) override { lanes_.SetQuota(threads); }
  void Submit(const std::string& lane, WorkerLanes::Task task) override {
    LookAgainWhere(lanes_.Submit(lane, std::move(task)));
  }
  void SubmitToOneOfMany(const std::string& lane, WorkerLanes::Task task) override {
    LookAgainWhere(lanes_.SubmitToOneOfMany(lane, std::move(task)));
  }

  // Tasks of the timetable submit to the lanes, and those of the lanes may still plan.
  void Stop() override {
    timetable_.Stop();
    lanes_.Stop();
  }

 private:
  void LookAgainWhere(WorkerLanes::Threads threads) {
    if (threads == WorkerLanes::Threads::kThere || looks_.exchange(true)) return;
    timetable_.At(Now() + kLookAgain, [this] {
      looks_ = false;
      LookAgainWhere(lanes_.LookForThreads());
    });
  }

  std::atomic<bool> looks_{false};
  WorkerLanes lanes_;
  Timetable timetable_;
};

}  // namespace

std::unique_ptr<ServiceThreads> OwnThreads() { return std::make_unique<Own>(); }

}  // namespace crivet::trust
