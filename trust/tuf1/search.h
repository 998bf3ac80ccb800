// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// Link is one step of the way to a target: who delegates, and to whom.
struct Link {
  std::string delegator;
  std::string role;
  friend bool operator==(const Link&, const Link&) = default;
};

/// Hit is what one role says of a name. The views live as long as the metadata.
struct Hit {
  std::string role;
  const TargetEntry* entry = nullptr;
  std::vector<Link> chain;  ///< from `root` to the role
};

/// Search is a look for one name along the delegations, in the specification's order (5.6.7): a
/// role's own entry, then its delegations as they stand, depth first, each role once, nothing past
/// a terminating one.
struct Search {
  struct Question {
    std::string_view name;
    TimePoint now;
    Expiry expiry = Expiry::kEnforced;
    /// The search goes on past the first hit until these were seen.
    std::vector<std::string> signers = {};
    /// What several searches may spend together below `targets`; null: each as much as one may.
    MatchWork* work = nullptr;
  };

  /// Found: `hits` is not empty, the first is the specification's. Where signers were wanted, those
  /// follow that list the name too.
  struct Found {
    std::vector<Hit> hits;
    std::vector<std::string> asked;  ///< the roles that were read, in order
  };
  /// The search ended cleanly, and nobody lists the name.
  struct NotFound {
    std::vector<std::string> asked;
  };
  /// It goes on once that role was had.
  struct Missing {
    RoleFile file;
  };
  /// It could not be ended: nothing is known of the name.
  struct Failed {
    Error error;
    std::string at;
  };
  using Outcome = std::variant<Found, NotFound, Missing, Failed>;
};

/// What a search comes to that passes more roles than it may.
Search::Failed TooManyRoles(const Caps& caps, std::string at);

/// Pure; the cost is that of the delegations on the way. Precondition: the set is complete.
Search::Outcome Find(const Trusted& trusted, const Search::Question& question, const Caps& caps);

}  // namespace crivet::trust::tuf1
