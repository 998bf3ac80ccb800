// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/decide/kind.h"
#include "trust/decide/published_file.h"
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::trust::sigstore {

/// The key of a rule that says which name signatures may bear where that is not the image's own.
inline constexpr char kSignedAs[] = "signed_as";

/// Keys of a rule that are cosign's own.
const std::vector<std::string>& SigstoreRuleKeys();

/// Reads them; what is wrong is said through `keys`.
RuleDemand ReadSigstoreDemand(KeyReader& keys);

/// Keys of `[trust.*]` that are cosign's own.
const std::vector<std::string>& SigstoreTrustKeys();

/// Reads them; null where there are none, or where what is wrong was said through `keys`.
SharedDemand ReadSigstoreTrust(KeyReader& keys);

/// The rule's demand with what its trust says. Precondition: both were read here.
SharedDemand DemandUnder(const SharedDemand& trust, const SharedDemand& rule);

/// Whether those bytes can be a trusted root that somebody publishes: they parse, and there is a
/// certificate authority among them.
Result<void> CheckTrustedRoot(std::string_view bytes);
/// The trust with that file as its trusted root; kMalformed where it is none.
Result<SharedDemand> WithRoot(const SigstoreTrust& trust, const PublishedFile& file);

/// What the demand wants that its trusted root does not have; empty: nothing, or that is not known
/// before the root is had.
std::string WrongForRoot(const Demand& rule);

}  // namespace crivet::trust::sigstore
