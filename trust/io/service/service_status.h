// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/reason.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/refresh.h"
#include "trust/decide/trusted_set.h"

namespace crivet::trust {

/// RepositoryStatus is one repository in use, for `crivet status` and the metrics.
struct RepositoryStatus {
  CollectionId id;
  std::string trust;
  SetStatus set;  ///< empty where no complete set is known
  /// Neither of a kind that only asks for names: nothing refreshes it.
  std::optional<TimePoint> verified_at;
  std::optional<TimePoint> next_refresh;
  /// The latest refresh where it failed, and how often in a row.
  std::optional<RefreshFailure> last_failure;
  std::uint64_t failures_in_a_row = 0;
  bool no_credentials = false;
  std::size_t records = 0;
  std::size_t resident_bytes = 0;
};

/// TrustFileStatus is a file that one trust reads out of the collection of another
/// (trust/RULES.md#files-of-another-trust).
struct TrustFileStatus {
  std::string trust;  ///< who reads it
  std::string from;   ///< whose it is
  std::string name;
  /// Nothing where it has not been had.
  std::optional<Sha256> sha256 = std::nullopt;
  std::optional<TimePoint> until = std::nullopt;  ///< PublishedFile::until
};

/// RefreshCounts counts refreshes by how they ended. Labels are closed sets.
struct RefreshCounts {
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  std::map<Reason, std::uint64_t> failed;
  /// Collections whose first anchor was trusted because a rule says `tofu`.
  std::uint64_t trusted_on_first_use = 0;
};

/// EvidenceStatus is what evidence that can be had again takes on the disk, and may take.
struct EvidenceStatus {
  std::size_t bytes = 0;
  std::size_t max_bytes = 0;
  std::size_t repositories = 0;
};

/// ServiceStatus is the whole of it, taken at one moment.
struct ServiceStatus {
  std::vector<RepositoryStatus> repositories;
  std::vector<TrustFileStatus> files;
  RefreshCounts refreshes;
  EvidenceStatus evidence;
  /// Pulls of which another member of the rule was found to name another digest, once it was asked
  /// after them (Decision::disagree has those that were known before).
  std::uint64_t members_disagreed = 0;
  std::string state_problem;  ///< empty, or why the state folder does not take writes
  std::string clock_problem;  ///< empty, or why the clock is not believed
};

}  // namespace crivet::trust
