// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/refusal_memory.h"

#include <algorithm>

namespace crivet::trust {
namespace {

// How long it counts; nothing where it is no refusal.
std::optional<std::chrono::seconds> LastsFor(const FetchFailure& failure) {
  if (!failure.why || failure.kind != FetchFailure::Kind::kNetwork) return std::nullopt;
  const FetchCause& cause = *failure.why;
  if (cause.status == 429) {
    const std::chrono::seconds longest = RefusalMemory::kLongest;
    return std::min(cause.retry_after.value_or(longest), longest);
  }
  const bool no_token = cause.asked == FetchCause::Asked::kTokenServer;
  if (no_token || failure.cause == NetworkCause::kCredentialsRefused)
    return RefusalMemory::kLongest;
  return std::nullopt;
}

}  // namespace

void RefusalMemory::Note(const std::string& repository, const CredentialsClass& asker,
                         const FetchFailure& failure, Time now) {
  const auto lasts = LastsFor(failure);
  if (!lasts) return;
  const std::lock_guard lock(mutex_);
  if (refusals_.size() >= kMax) {
    std::erase_if(refusals_, [now](const auto& each) { return each.second.until <= now; });
  }
  if (refusals_.size() >= kMax) {
    refusals_.erase(std::min_element(
        refusals_.begin(), refusals_.end(),
        [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  refusals_.insert_or_assign(Key{repository, asker}, Refusal{failure, now + *lasts});
}

std::optional<FetchFailure> RefusalMemory::Of(const std::string& repository,
                                              const CredentialsClass& asker, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = refusals_.find(Key{repository, asker});
  if (found == refusals_.end() || found->second.until <= now) return std::nullopt;
  return found->second.failure;
}

}  // namespace crivet::trust
