// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "trust/decide/file_request.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf1/search.h"

namespace crivet::trust::tuf1 {

/// RolesAhead gets delegated roles before anybody asks for them: those that the set before had and
/// whose files the snapshot no longer lists, so that their names can be answered without waiting,
/// or those that are stored. One that cannot be had stays as it is: it is stale, and asked for
/// again where a name leads to it. Driven as Refresh is.
///
/// Whoever is delegated to can write many large roles that all delegate to each other, and to those
/// of others: what one delegation of `targets` leads to has a share of bytes, and below it a role
/// is verified for few delegators ahead, whatever lies below the next. A search has the rest
/// verified where it comes to it.
class RolesAhead {
 public:
  static constexpr std::size_t kMostDelegators = 4;

  struct Start {
    Trusted trusted;
    std::set<std::string> roles;
    TimePoint now = {};
    Caps caps = {};
    Expiry expiry = Expiry::kEnforced;
    /// Of all files that one delegation of `targets` leads to.
    std::size_t most_bytes = std::numeric_limits<std::size_t>::max();
  };
  explicit RolesAhead(Start start);

  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  /// Precondition: it wants a file.
  const std::string& wanted_role() const { return waiting_.front().file.role; }
  void Supply(Fetched answer);
  const Trusted& trusted() const { return trusted_; }
  /// Whether every one of them is here.
  bool HasAll() const { return has_all_; }

 private:
  struct Waiting {
    RoleFile file;
    std::string owner;  ///< the delegation of `targets` that led to it
  };

  void GoOn();
  void Follow(const std::string& role, const std::string& owner);
  void PassOver();

  Trusted trusted_;
  const std::set<std::string> roles_;
  const TimePoint now_;
  const Caps caps_;
  const Expiry expiry_;
  const std::size_t most_bytes_;
  std::deque<Waiting> waiting_;
  using RoleOfOwner = std::pair<std::string, std::string>;
  std::map<RoleOfOwner, std::size_t> delegators_;
  std::set<RoleOfOwner> followed_;
  std::map<std::string, std::size_t> bytes_;  ///< of each owner
  std::optional<MetadataRequest> wanted_;
  bool has_all_ = true;
};

}  // namespace crivet::trust::tuf1
