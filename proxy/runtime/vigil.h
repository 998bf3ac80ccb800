// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>

#include <atomic>
#include <functional>
#include <memory>

#include "trust/io/service/timetable.h"

namespace crivet::proxy {

/// Vigil watches over a call that must run to its end. A runtime that answers other calls meanwhile
/// is busy, and the call waits; one that has answered none for about ten seconds is asked no more.
/// Where the daemon has to end, the call gets as long. Until End(), `context` is the call's;
/// thread-safe.
class Vigil {
 public:
  /// Asks the runtime for something small, and says through `done`, exactly once and on any thread,
  /// whether an answer came.
  using Probe = std::function<void(std::function<void(bool answered)> done)>;

  /// All of them outlive it, and `probe` what it began.
  Vigil(trust::Timetable& timetable, grpc::ClientContext& context, Probe probe,
        const std::atomic<bool>& hurried);
  Vigil(const Vigil&) = delete;
  Vigil& operator=(const Vigil&) = delete;
  ~Vigil() { End(); }

  /// The call is over; true where it was this that ended it.
  bool End();

 private:
  struct State;
  static void Schedule(const std::shared_ptr<State>& state);
  static void Tick(const std::shared_ptr<State>& state);
  static void Ask(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace crivet::proxy
