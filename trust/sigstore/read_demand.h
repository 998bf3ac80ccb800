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

/// Keys of `[trust.*]` that are cosign's own.
const std::vector<std::string>& SigstoreTrustKeys();

/// Reads them; null where there are none, or where what is wrong was said through `keys`.
SharedDemand ReadSigstoreTrust(KeyReader& keys);

/// The rule's demand with what its trust says. Precondition: both were read here.
SharedDemand DemandUnder(const SharedDemand& trust, const SharedDemand& rule);

/// What the demand wants that its trusted root does not have; empty: nothing.
std::string WrongForRoot(const Demand& rule);

}  // namespace crivet::trust::sigstore
