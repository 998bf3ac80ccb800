// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/tag_time.h"

#include <algorithm>

namespace crivet::trust::registry_bound {
namespace {

using std::chrono::hours;

constexpr std::chrono::minutes kAhead{10};
constexpr std::chrono::seconds kLongest = hours(24 * 3650);
constexpr std::chrono::seconds kShortest = hours(1);

// Not a tag: what counts for all that have no time of their own.
constexpr char kOthers[] = "*";

std::int64_t VersionOf(TimePoint time) { return time.time_since_epoch().count(); }

std::optional<TimePoint> TimeAt(const Floors& times, const std::string& name) {
  const auto found = times.find(name);
  if (found == times.end()) return std::nullopt;
  return TimePoint(std::chrono::seconds(found->second.version));
}

// Those with the oldest time, and all that the others' time says as much of.
void DropOldest(Floors& times) {
  std::optional<std::int64_t> oldest;
  for (const auto& [name, floor] : times) {
    if (name != kOthers) oldest = std::min(oldest.value_or(floor.version), floor.version);
  }
  if (!oldest) return;
  Floor& others = times[kOthers];
  others.version = std::max(others.version, *oldest);
  std::erase_if(times, [least = others.version](const auto& time) {
    return time.first != kOthers && time.second.version <= least;
  });
}

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

std::optional<TimePoint> OwnTagTime(const Floors& times, const std::string& tag) {
  return tag == kOthers ? std::nullopt : TimeAt(times, tag);
}

std::optional<TimePoint> OtherTagsTime(const Floors& times) { return TimeAt(times, kOthers); }

void DropTagTime(Floors& times, const std::string& tag) {
  if (tag != kOthers) times.erase(tag);
}

std::optional<TimePoint> TagTime(const Floors& times, const std::string& tag) {
  // The later of both: what is merged from two places may have a time that one of them had dropped.
  return std::max(TimeAt(times, tag), TimeAt(times, kOthers));
}

bool RaisesTagTime(const Floors& times, const std::string& tag, TimePoint signed_at,
                   TimePoint now) {
  const auto before = TagTime(times, tag);
  return signed_at <= now + kAhead && (!before || *before < signed_at);
}

void RaiseTagTime(Floors& times, const std::string& tag, TimePoint signed_at) {
  const auto before = TagTime(times, tag);
  if (before && *before >= signed_at) return;
  times[tag].version = VersionOf(signed_at);
  if (times.size() - times.count(kOthers) > kMaxTagTimes) DropOldest(times);
}

}  // namespace crivet::trust::registry_bound
