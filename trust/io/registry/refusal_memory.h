// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "trust/decide/file_request.h"
#include "trust/io/http/credentials.h"

namespace crivet::trust {

/// RefusalMemory remembers whom a host has refused a moment ago (401, 403, 429), or for whom no
/// token could be had, for that repository and those credentials: one pod's wrong secret, or one
/// that is asked about too often, delays nobody else (trust/RULES.md#asking-a-registry). A host
/// that asks for a pause gets one, of at most kLongest, which is as long as a pull waits. Bounded:
/// where it is full, the oldest goes, and that host is asked once more. Thread-safe.
class RefusalMemory {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kLongest{30};
  static constexpr std::size_t kMax = 256;

  /// Does nothing where the failure is none of these.
  void Note(const std::string& repository, const CredentialsClass& asker,
            const FetchFailure& failure, Time now);
  std::optional<FetchFailure> Of(const std::string& repository, const CredentialsClass& asker,
                                 Time now) const;

 private:
  using Key = std::pair<std::string, CredentialsClass>;
  struct Refusal {
    FetchFailure failure;
    Time until;
  };

  mutable std::mutex mutex_;
  std::map<Key, Refusal> refusals_;
};

}  // namespace crivet::trust
