// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <utility>

#include "tests/support/trust/memory_registry.h"
#include "trust/io/http/metadata_fetcher.h"

namespace crivet::trust {

/// OneRegistry asks one MemoryRegistry, whatever the repository. Thread-safe.
class OneRegistry final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    const std::lock_guard lock(mutex_);
    Fetched fetched = registry_.Answer(request);
    const bool away = !fetched && fetched.error().kind == FetchFailure::Kind::kNetwork;
    if (terms.arrival) terms.arrival->heard = away ? Heard::kNoFirstByte : Heard::kAnswer;
    return {std::move(fetched), std::nullopt};
  }
  template <typename Change>
  auto With(Change change) {
    const std::lock_guard lock(mutex_);
    return change(registry_);
  }

 private:
  std::mutex mutex_;
  MemoryRegistry registry_;
};

}  // namespace crivet::trust
