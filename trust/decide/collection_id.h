// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace crivet::trust {

/// CollectionId names what is trusted as one: for a kind of trust, a server and a name on it.
/// State, floors, records and refreshes are keyed by it, never by an image's name or a label of the
/// configuration (trust/RULES.md#mirrors).
struct CollectionId {
  std::string kind;  ///< Kind::name
  std::string url;   ///< canonical; where images' registries are asked, the host of this one
  std::string name;  ///< what the kind makes of an image's name; a value that the kind has checked
  friend auto operator<=>(const CollectionId&, const CollectionId&) = default;
};

}  // namespace crivet::trust
