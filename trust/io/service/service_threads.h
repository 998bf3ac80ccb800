// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "trust/io/service/timetable.h"
#include "trust/io/service/worker_lanes.h"

namespace crivet::trust {

/// ServiceThreads is who keeps the time of a service and who does its work: a Timetable and
/// WorkerLanes, or what a simulation of many nodes puts in their place. Thread-safe.
class ServiceThreads {
 public:
  virtual ~ServiceThreads() = default;

  /// By the clock of At. It never goes back.
  virtual Timetable::Clock::time_point Now() const = 0;
  /// As Timetable does.
  virtual Timetable::Ticket At(Timetable::Clock::time_point when, Timetable::Task task) = 0;
  virtual void Drop(const Timetable::Ticket& ticket) = 0;

  /// As WorkerLanes do.
  virtual void SetQuota(std::size_t threads) = 0;
  virtual void Submit(const std::string& lane, WorkerLanes::Task task) = 0;
  virtual void SubmitToOneOfMany(const std::string& lane, WorkerLanes::Task task) = 0;

  /// Drops what has not begun and waits for what has. Nothing runs afterwards.
  virtual void Stop() = 0;
};

/// Threads of its own, by the machine's clock.
std::unique_ptr<ServiceThreads> OwnThreads();

}  // namespace crivet::trust
