// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/tag_time.h"

#include <algorithm>

namespace crivet::trust::registry_bound {
namespace {

using std::chrono::hours;

constexpr std::chrono::minutes kAhead{10};
constexpr std::chrono::seconds kLongest = hours(24 * 3650);
constexpr std::chrono::seconds kShortest = hours(1);

std::int64_t VersionOf(TimePoint time) { return time.time_since_epoch().count(); }

}  // namespace

TagOrder ReadTagOrder(KeyReader& keys) {
  const auto order = keys.String(kTagOrder);
  if (!order || order->value == "warn") return TagOrder::kWarn;
  if (order->value != "refuse") keys.Wrong(order->at, "\"tag_order\" is \"warn\" or \"refuse\"");
  return TagOrder::kRefuse;
}

std::chrono::seconds ReadMaxAge(KeyReader& keys) {
  const auto age = keys.Duration(kMaxAge, kShortest, kLongest);
  return age ? age->value : std::chrono::seconds{0};
}

std::optional<TimePoint> TagTime(const Floors& times, const std::string& tag) {
  const auto found = times.find(tag);
  if (found == times.end()) return std::nullopt;
  return TimePoint(std::chrono::seconds(found->second.version));
}

bool RaisesTagTime(const Floors& times, const std::string& tag, TimePoint signed_at,
                   TimePoint now) {
  const auto before = TagTime(times, tag);
  return signed_at <= now + kAhead && (!before || *before < signed_at);
}

void RaiseTagTime(Floors& times, const std::string& tag, TimePoint signed_at) {
  Floor& floor = times[tag];
  floor.version = std::max(floor.version, VersionOf(signed_at));
  if (times.size() <= kMaxTagTimes) return;
  times.erase(std::min_element(times.begin(), times.end(), [](const auto& a, const auto& b) {
    return a.second.version < b.second.version;
  }));
}

}  // namespace crivet::trust::registry_bound
