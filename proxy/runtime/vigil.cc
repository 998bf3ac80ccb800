// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/vigil.h"

#include <chrono>
#include <mutex>
#include <utility>

namespace crivet::proxy {
namespace {

using trust::Timetable;

constexpr std::chrono::seconds kTick{1};
constexpr int kTicksBetweenProbes = 5;
// So many probes in a row without an answer, and it is not only slow.
constexpr int kMaxSilent = 2;
constexpr int kTicksWhenHurried = 10;

}  // namespace

struct Vigil::State {
  State(Timetable& its_timetable, grpc::ClientContext& its_context, Probe its_probe,
        const std::atomic<bool>& its_hurried)
      : timetable(its_timetable),
        hurried(its_hurried),
        probe(std::move(its_probe)),
        context(&its_context) {}

  // Precondition: the lock is held.
  void GiveUp() {
    if (context == nullptr) return;
    gave_up = true;
    context->TryCancel();
  }

  Timetable& timetable;
  const std::atomic<bool>& hurried;
  const Probe probe;
  std::mutex mutex;
  grpc::ClientContext* context;
  Timetable::Ticket ticket;
  int ticks = 0;
  int hurried_ticks = 0;
  int silent = 0;
  bool is_asking = false;
  bool gave_up = false;
};

Vigil::Vigil(Timetable& timetable, grpc::ClientContext& context, Probe probe,
             const std::atomic<bool>& hurried)
    : state_(std::make_shared<State>(timetable, context, std::move(probe), hurried)) {
  const std::lock_guard lock(state_->mutex);
  Schedule(state_);
}

bool Vigil::End() {
  const std::lock_guard lock(state_->mutex);
  if (state_->context != nullptr) state_->timetable.Drop(state_->ticket);
  state_->context = nullptr;
  return state_->gave_up;
}

// Precondition: the lock is held.
void Vigil::Schedule(const std::shared_ptr<State>& state) {
  state->ticket = state->timetable.At(Timetable::Clock::now() + kTick, [state] { Tick(state); });
}

void Vigil::Tick(const std::shared_ptr<State>& state) {
  bool asks = false;
  {
    const std::lock_guard lock(state->mutex);
    if (state->context == nullptr) return;
    if (state->hurried.load(std::memory_order_relaxed) &&
        ++state->hurried_ticks >= kTicksWhenHurried) {
      state->GiveUp();
    }
    if (++state->ticks % kTicksBetweenProbes == 0) {
      if (!state->is_asking) {
        asks = state->is_asking = true;
      } else if (++state->silent >= kMaxSilent) {
        state->GiveUp();
      }
    }
    Schedule(state);
  }
  if (asks) Ask(state);
}

void Vigil::Ask(const std::shared_ptr<State>& state) {
  state->probe([state](bool answered) {
    const std::lock_guard lock(state->mutex);
    state->is_asking = false;
    if (answered) {
      state->silent = 0;
    } else if (++state->silent >= kMaxSilent) {
      state->GiveUp();
    }
  });
}

}  // namespace crivet::proxy
