// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/road/method_table.h"

namespace crivet::proxy {

/// CallOutcome is how a call left the road. A closed set: it is a metric label
/// (proxy/RULES.md#labels-of-metrics).
enum class CallOutcome : std::uint8_t {
  kAnswered,     ///< the runtime or the gate ended it, with whatever gRPC status
  kCancelled,    ///< the client went away or reset the stream
  kReset,        ///< the runtime or the gate reset the stream
  kUnavailable,  ///< the runtime could not be reached, or crivet stopped
  kRefused,      ///< not in the method table, or a message that is not taken
};
inline constexpr std::size_t kCallOutcomes = 5;

constexpr std::string_view NameOf(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::kAnswered:
      return "answered";
    case CallOutcome::kCancelled:
      return "cancelled";
    case CallOutcome::kReset:
      return "reset";
    case CallOutcome::kUnavailable:
      return "unavailable";
    case CallOutcome::kRefused:
      return "refused";
  }
  return "reset";
}

/// UpstreamState is what the last attempt to connect to the runtime showed.
enum class UpstreamState : std::uint8_t { kNotTried, kUp, kDown };

/// RoadSnapshot is a copy of the counters at one moment. Indexed by MethodRow.
struct RoadSnapshot {
  struct Method {
    std::uint64_t started = 0;  ///< nonzero: crivet sees this call (`crivet status`)
    std::array<std::uint64_t, kCallOutcomes> ended{};
  };
  std::vector<Method> methods;
  UpstreamState upstream = UpstreamState::kNotTried;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t calls_open = 0;
  /// Connections ended because they broke the protocol or a limit, or said nothing.
  std::uint64_t connections_misbehaved = 0;
  /// Times that accepting had to pause: no descriptor left.
  std::uint64_t accept_pauses = 0;
};

/// RoadCounters count what the router does. Written by its loop, read from any thread; relaxed, so
/// two figures of one snapshot may be a call apart.
class RoadCounters {
 public:
  RoadCounters() : methods_(MethodRowCount()) {}

  void Started(MethodRow row) {
    Add(methods_[row].started);
    Add(calls_open_);
  }
  void Ended(MethodRow row, CallOutcome outcome) {
    Add(methods_[row].ended[static_cast<std::size_t>(outcome)]);
    Subtract(calls_open_);
  }
  void ConnectionOpened() {
    Add(connections_accepted_);
    Add(connections_open_);
  }
  void ConnectionClosed() { Subtract(connections_open_); }
  void ConnectionMisbehaved() { Add(connections_misbehaved_); }
  void AcceptPaused() { Add(accept_pauses_); }
  void SetUpstream(UpstreamState state) { upstream_.store(state, std::memory_order_relaxed); }

  RoadSnapshot Snapshot() const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  struct Method {
    Counter started{0};
    std::array<Counter, kCallOutcomes> ended{};
  };

  // One writer: a plain add needs no locked instruction.
  static void Add(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  static void Subtract(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }

  std::vector<Method> methods_;
  Counter connections_accepted_{0};
  Counter connections_open_{0};
  Counter calls_open_{0};
  Counter connections_misbehaved_{0};
  Counter accept_pauses_{0};
  std::atomic<UpstreamState> upstream_{UpstreamState::kNotTried};
};

}  // namespace crivet::proxy
