// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/signed/json.h"

namespace crivet::trust {

/// RoleText is what a role object says of who may sign for it, whatever the keys are: Notary and
/// TUF 1.0 write it alike. Views into the document.
struct RoleText {
  std::vector<std::string_view> key_ids;  ///< as they stand there, one perhaps twice
  std::size_t threshold = 1;              ///< at least 1
};

/// Reads `keyids` and `threshold`. kMalformed also for a threshold below 1, which would let an
/// unsigned file pass, and for more than `max_keys` IDs.
Result<RoleText> ReadRoleText(JsonValue role, std::size_t max_keys);

}  // namespace crivet::trust
