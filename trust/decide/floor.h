// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "trust/base/bytes.h"

namespace crivet::trust {

/// Floor is the newest version of a signed file that this node has verified, with what it takes to
/// tell whether it still binds: what was signed, and who did (trust/RULES.md#rollback-floors).
struct Floor {
  std::int64_t version = 0;
  Sha256 signed_sha256{};
  std::set<std::string> signers;  ///< with the meaning that the kind gives them
  friend bool operator==(const Floor&, const Floor&) = default;
};

/// Floors of one collection by the name of the file, the anchor's included. An entry also says that
/// this node has seen the file listed, so that it may not vanish in silence.
using Floors = std::map<std::string, Floor>;

}  // namespace crivet::trust
