// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/tuf1/search.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// TagRoles are the roles that may list some tag of one image: `targets`, and every role to which
/// a pattern on the way leads for some tag, in the order of the search. A role that is missing is
/// passed over.
struct TagRoles {
  std::vector<std::string> here;
  /// The first that has to be had before the rest is known.
  std::optional<RoleFile> missing;
  /// Why they cannot be told: a role has expired, there are too many, patterns are odd.
  std::optional<Search::Failed> failed;
  /// The role that hands such names out by their hash, so that no role can be told to list none of
  /// them without reading all. Bins are never enumerated; empty: none does.
  std::string in_bins;
};

/// `prefix` is what the targets of the image's tags begin with. Pure; the cost is that of one
/// search. Precondition: the set is complete.
TagRoles FindTagRoles(const Trusted& trusted, std::string_view prefix, Expiry expiry, TimePoint now,
                      const Caps& caps);

}  // namespace crivet::trust::tuf1
