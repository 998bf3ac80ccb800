// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <functional>
#include <string>

#include "trust/base/image_reference.h"

namespace crivet::trust {

/// RepositoryId names one trust collection: a canonical server URL and a GUN. Chains, floors,
/// records and refreshes are keyed by it, never by an image's name or a label of the configuration
/// (trust/RULES.md#mirrors).
struct RepositoryId {
  std::string url;
  Gun gun;
  friend auto operator<=>(const RepositoryId&, const RepositoryId&) = default;
};

}  // namespace crivet::trust
