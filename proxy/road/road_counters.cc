// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/road_counters.h"

namespace crivet::proxy {

RoadSnapshot RoadCounters::Snapshot() const {
  RoadSnapshot snapshot;
  snapshot.methods.resize(methods_.size());
  for (std::size_t row = 0; row < methods_.size(); ++row) {
    snapshot.methods[row].started = methods_[row].started.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kCallOutcomes; ++i) {
      snapshot.methods[row].ended[i] = methods_[row].ended[i].load(std::memory_order_relaxed);
    }
  }
  snapshot.upstream = upstream_.load(std::memory_order_relaxed);
  snapshot.connections_accepted = connections_accepted_.load(std::memory_order_relaxed);
  snapshot.connections_open = connections_open_.load(std::memory_order_relaxed);
  snapshot.calls_open = calls_open_.load(std::memory_order_relaxed);
  snapshot.connections_misbehaved = connections_misbehaved_.load(std::memory_order_relaxed);
  snapshot.accept_pauses = accept_pauses_.load(std::memory_order_relaxed);
  return snapshot;
}

}  // namespace crivet::proxy
