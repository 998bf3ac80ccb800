// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_threads.h"

#include <utility>

namespace crivet::trust {
namespace {

class Own final : public ServiceThreads {
 public:
  Timetable::Clock::time_point Now() const override { return Timetable::Clock::now(); }
  Timetable::Ticket At(Timetable::Clock::time_point when, Timetable::Task task) override {
    return timetable_.At(when, std::move(task));
  }
  void Drop(const Timetable::Ticket& ticket) override { timetable_.Drop(ticket); }

  void SetQuota(std::size_t threads) override { lanes_.SetQuota(threads); }
  void Submit(const std::string& lane, WorkerLanes::Task task) override {
    lanes_.Submit(lane, std::move(task));
  }
  void SubmitToOneOfMany(const std::string& lane, WorkerLanes::Task task) override {
    lanes_.SubmitToOneOfMany(lane, std::move(task));
  }

  // Tasks of the timetable submit to the lanes, and those of the lanes may still plan.
  void Stop() override {
    timetable_.Stop();
    lanes_.Stop();
  }

 private:
  WorkerLanes lanes_;
  Timetable timetable_;
};

}  // namespace

std::unique_ptr<ServiceThreads> OwnThreads() { return std::make_unique<Own>(); }

}  // namespace crivet::trust
