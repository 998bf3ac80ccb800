// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>

#include "trust/tuf1/search.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {

/// RolesAhead gets anew the delegated roles that the set before had and whose files the snapshot no
/// longer lists, so that their names can be answered without waiting. One that cannot be had stays
/// as it is: it is stale, and asked for again where a name leads to it. Driven as Refresh is.
class RolesAhead {
 public:
  struct Start {
    Trusted trusted;
    std::set<std::string> roles;
    TimePoint now = {};
    Caps caps = {};
  };
  explicit RolesAhead(Start start);

  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  /// Precondition: it wants a file.
  const std::string& wanted_role() const { return waiting_.front().role; }
  void Supply(Fetched answer);
  const Trusted& trusted() const { return trusted_; }
  /// Whether every one of them is here.
  bool HasAll() const { return has_all_; }

 private:
  void GoOn();
  void Follow(const std::string& role);

  Trusted trusted_;
  std::set<std::string> roles_;
  const TimePoint now_;
  const Caps caps_;
  std::deque<RoleFile> waiting_;
  std::optional<MetadataRequest> wanted_;
  bool has_all_ = true;
};

}  // namespace crivet::trust::tuf1
