// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/decide/kind.h"

namespace crivet::trust::notation {

/// Keys of a rule that are notation's own.
const std::vector<std::string>& NotationRuleKeys();

/// Reads them; what is wrong is said through `keys`.
RuleDemand ReadNotationDemand(KeyReader& keys);

/// Keys of `[trust.*]` that are notation's own.
const std::vector<std::string>& NotationTrustKeys();

/// Reads them; what is wrong is said through `keys`.
SharedDemand ReadNotationTrust(KeyReader& keys);

/// The rule's demand with its trust's stores. Precondition: both were read here.
SharedDemand DemandUnder(const SharedDemand& trust, const SharedDemand& rule);

/// What is wrong with a demand as DemandUnder made it; empty: nothing.
std::string WrongForStores(const Demand& demand);

}  // namespace crivet::trust::notation
