// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/decide/kind.h"

namespace crivet::trust::sigstore {

/// Keys of a rule that are cosign's own, with those that are refused until they mean something.
const std::vector<std::string>& SigstoreRuleKeys();

/// Reads them; what is wrong is said through `keys`.
RuleDemand ReadSigstoreDemand(KeyReader& keys);

}  // namespace crivet::trust::sigstore
