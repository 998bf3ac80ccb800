// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/decide/kind.h"

namespace crivet::trust {

/// The key that maps an image's name to the GUN under which it was signed.
inline constexpr std::string_view kGunKey = "gun";

const std::vector<std::string>& NotaryRuleKeys();

/// Reads `root`, `roles`, `signers`, `grace` and `gun` of a rule, as Kind::ReadDemand says.
RuleDemand ReadNotaryDemand(KeyReader& keys);

}  // namespace crivet::trust
