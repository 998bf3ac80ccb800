// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/road/road_counters.h"
#include "proxy/watch/process_figures.h"
#include "trust/decide/policy.h"
#include "trust/decide/verdict.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy {

/// Phase is a part of a gated call whose time is measured.
enum class Phase : std::uint8_t {
  kDecide,    ///< until the verdict is there, refreshes included
  kUpstream,  ///< what the runtime took for the call itself
  kTag,       ///< giving the pulled image its tag back
};

/// Histogram counts durations in fixed buckets. Thread-safe; a reader may see a count without its
/// sum for a moment.
class Histogram {
 public:
  /// Upper bounds in microseconds; a last bucket takes everything beyond.
  static constexpr std::array<std::uint64_t, 14> kBounds = {
      1,      5,       20,      100,       500,       2'000,     10'000,
      50'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 30'000'000};

  void Observe(std::chrono::nanoseconds duration);

  struct Snapshot {
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};
    std::uint64_t sum_us = 0;
  };
  Snapshot Read() const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

/// Metrics are the gate's own counters. Thread-safe, no locks. Every label is of a closed set.
class Metrics {
 public:
  void CountDecision(const trust::Decision& decision);
  void Observe(Phase phase, std::chrono::nanoseconds duration);
  /// A tag whose registry digest differs from the signed one, seen in audit mode.
  void CountMoved() { moved_.fetch_add(1, std::memory_order_relaxed); }
  /// A container or sandbox that the runtime made from other content than what was judged.
  void CountOtherContent() { other_content_.fetch_add(1, std::memory_order_relaxed); }
  /// A defect of ours that ended a call with INTERNAL.
  void CountInternalError() { internal_errors_.fetch_add(1, std::memory_order_relaxed); }
  void CountAuditDrop() { audit_drops_.fetch_add(1, std::memory_order_relaxed); }
  /// A pod's sandbox image that could not be judged because no one names it. True for the first.
  bool CountUnjudgedSandbox() {
    return unjudged_sandboxes_.fetch_add(1, std::memory_order_relaxed) == 0;
  }

  static constexpr std::size_t kReasons = std::size(trust::kAllReasons);
  static constexpr std::size_t kModes = 2;
  static constexpr std::size_t kPhases = 3;

  struct Snapshot {
    std::array<std::uint64_t, kModes> allowed{};
    std::array<std::array<std::uint64_t, kModes>, kReasons> refused{};
    std::array<Histogram::Snapshot, kPhases> phases{};
    std::uint64_t moved = 0;
    std::uint64_t went_back = 0;
    std::uint64_t members_disagree = 0;
    std::uint64_t other_content = 0;
    std::uint64_t internal_errors = 0;
    std::uint64_t audit_drops = 0;
    std::uint64_t unjudged_sandboxes = 0;
  };
  Snapshot Read() const;

 private:
  std::array<std::atomic<std::uint64_t>, kModes> allowed_{};
  std::array<std::array<std::atomic<std::uint64_t>, kModes>, kReasons> refused_{};
  std::array<Histogram, kPhases> phases_;
  std::atomic<std::uint64_t> moved_{0};
  std::atomic<std::uint64_t> went_back_{0};
  std::atomic<std::uint64_t> members_disagree_{0};
  std::atomic<std::uint64_t> other_content_{0};
  std::atomic<std::uint64_t> internal_errors_{0};
  std::atomic<std::uint64_t> audit_drops_{0};
  std::atomic<std::uint64_t> unjudged_sandboxes_{0};
};

/// Exposition is everything that one scrape shows.
struct Exposition {
  Metrics::Snapshot gate;
  trust::ServiceStatus trust;
  RoadSnapshot road;
  ProcessFigures process;
  std::string version;
  bool config_is_newest = true;  ///< false: the newest is wrong, an older one is in force
  /// Names of images here that rules verify and nothing vouches for; -1: not looked at yet.
  std::int64_t unverified_local = -1;
};

/// RenderMetrics writes the Prometheus text format, version 0.0.4. Pure.
std::string RenderMetrics(const Exposition& exposition);

}  // namespace crivet::proxy
