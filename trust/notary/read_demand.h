// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/decide/kind.h"

namespace crivet::trust {

const std::vector<std::string>& NotaryRuleKeys();

/// Reads `root`, `roles`, `signers`, `grace` and `gun` of a rule, as Kind::ReadDemand says.
RuleDemand ReadNotaryDemand(KeyReader& keys);

}  // namespace crivet::trust
