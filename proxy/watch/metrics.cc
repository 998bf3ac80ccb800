// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/metrics.h"

#include <algorithm>

namespace crivet::proxy {
namespace {

std::size_t IndexOf(trust::Mode mode) { return mode == trust::Mode::kAudit ? 1 : 0; }

std::size_t IndexOf(trust::Reason reason) { return static_cast<std::size_t>(reason); }

}  // namespace

void Histogram::Observe(std::chrono::nanoseconds duration) {
  const auto micros = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && micros > kBounds[bucket]) ++bucket;
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(micros, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::Read() const {
  Snapshot snapshot;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    snapshot.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
  }
  snapshot.sum_us = sum_us_.load(std::memory_order_relaxed);
  return snapshot;
}

void Metrics::CountDecision(const trust::Decision& decision) {
  const std::size_t mode = IndexOf(decision.mode());
  const bool went_back =
      decision.evidence.tag_went_back ||
      std::any_of(decision.others.begin(), decision.others.end(),
                  [](const auto& other) { return other.evidence.tag_went_back.has_value(); });
  if (went_back) went_back_.fetch_add(1, std::memory_order_relaxed);
  if (!decision.disagree.empty()) members_disagree_.fetch_add(1, std::memory_order_relaxed);
  if (const auto why = trust::RefusalOf(decision.verdict)) {
    refused_[IndexOf(why->reason)][mode].fetch_add(1, std::memory_order_relaxed);
  } else {
    allowed_[mode].fetch_add(1, std::memory_order_relaxed);
  }
}

void Metrics::Observe(Phase phase, std::chrono::nanoseconds duration) {
  phases_[static_cast<std::size_t>(phase)].Observe(duration);
}

Metrics::Snapshot Metrics::Read() const {
  Snapshot snapshot;
  for (std::size_t mode = 0; mode < kModes; ++mode) {
    snapshot.allowed[mode] = allowed_[mode].load(std::memory_order_relaxed);
    for (std::size_t reason = 0; reason < kReasons; ++reason) {
      snapshot.refused[reason][mode] = refused_[reason][mode].load(std::memory_order_relaxed);
    }
  }
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    snapshot.phases[phase] = phases_[phase].Read();
  }
  snapshot.moved = moved_.load(std::memory_order_relaxed);
  snapshot.went_back = went_back_.load(std::memory_order_relaxed);
  snapshot.members_disagree = members_disagree_.load(std::memory_order_relaxed);
  snapshot.other_content = other_content_.load(std::memory_order_relaxed);
  snapshot.internal_errors = internal_errors_.load(std::memory_order_relaxed);
  snapshot.audit_drops = audit_drops_.load(std::memory_order_relaxed);
  snapshot.unjudged_sandboxes = unjudged_sandboxes_.load(std::memory_order_relaxed);
  return snapshot;
}

}  // namespace crivet::proxy
