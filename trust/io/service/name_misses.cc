// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/name_misses.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

bool NameMisses::Miss::IsOver(SinceBoot now) const {
  const bool cut_off = failure && failure->error.reason == Reason::kTooMany;
  return now - at >= (cut_off ? kCutOffRemembered : kRemembered);
}

void NameMisses::Note(const FlightKey& key, std::shared_ptr<const RefreshFailure> failure,
                      SinceBoot at) {
  std::erase_if(misses_, [&](const auto& miss) { return miss.second.IsOver(at); });
  misses_.insert_or_assign(key, Miss{std::move(failure), at});
  if (misses_.size() > kMax) DropOne();
}

std::shared_ptr<const RefreshFailure> NameMisses::Of(const FlightKey& key, SinceBoot now) const {
  const auto miss = misses_.find(key);
  return miss == misses_.end() || miss->second.IsOver(now) ? nullptr : miss->second.failure;
}

void NameMisses::DropOne() {
  std::map<CredentialsClass, std::size_t> held;
  for (const auto& [key, miss] : misses_) ++held[key.credentials];
  const auto most = std::max_element(
      held.begin(), held.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto older = [&](const auto& a, const auto& b) {
    const bool a_counts = a.first.credentials == most->first;
    const bool b_counts = b.first.credentials == most->first;
    return a_counts != b_counts ? a_counts : a.second.at < b.second.at;
  };
  misses_.erase(std::min_element(misses_.begin(), misses_.end(), older));
}

}  // namespace crivet::trust
