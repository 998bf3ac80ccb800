// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "trust/decide/file_request.h"
#include "trust/decide/refresh.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf1/search.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// RoleSearch is a Find that gets the roles it misses, under the committed snapshot: driven as
/// Refresh is. Not thread-safe.
class RoleSearch {
 public:
  /// Precondition: `trusted` is complete.
  RoleSearch(Trusted trusted, Search::Question question, Caps caps);
  /// For a digest: where nobody lists its own name (empty: it has none), the roles are had that may
  /// list some target which begins with `tags_of`, unless a bin may.
  RoleSearch(Trusted trusted, Search::Question question, std::string tags_of, Caps caps);

  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  /// Precondition: it wants a file.
  const std::string& wanted_role() const { return missing_->role; }
  void Supply(Fetched answer);

  /// With the roles that were had on the way.
  const Trusted& trusted() const { return trusted_; }
  /// Precondition: Wanted() is nullopt. Views into trusted().
  const Search::Outcome& outcome() const { return *outcome_; }
  /// Of a Failed outcome, where the role could not be had.
  const std::optional<RefreshFailure>& failure() const { return failure_; }

 private:
  Search::Outcome Look() const;
  void LookForTags(Search::Outcome& outcome) const;
  void GoOn();
  void EndWith(RefreshFailure failure);

  Trusted trusted_;
  const std::string name_;
  const std::string tags_of_;
  Search::Question question_;
  const Caps caps_;
  std::optional<MetadataRequest> wanted_;
  std::optional<RoleFile> missing_;
  std::optional<Search::Outcome> outcome_;
  std::optional<RefreshFailure> failure_;
};

}  // namespace crivet::trust::tuf1
