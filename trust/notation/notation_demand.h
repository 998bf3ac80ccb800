// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "trust/notation/image_signature.h"
#include "trust/registry_bound/annotations.h"
#include "trust/registry_bound/signature_demand.h"

namespace crivet::trust::notation {

/// NotationTrust is what a `[trust.*]` says of its own: the stores, and what of a signature's age
/// is looked at.
struct NotationTrust final : Demand {
  ImageDemand stores;       ///< without identities
  std::string fingerprint;  ///< of all that was read for it, files included

  bool Equals(const Demand& other) const override {
    return fingerprint == static_cast<const NotationTrust&>(other).fingerprint;
  }
};

/// NotationDemand is what a rule wants of notation's signatures: whose, from which stores.
struct NotationDemand final : registry_bound::SignatureDemand {
  ImageDemand wanted;
  registry_bound::AnnotationDemand annotations;
  /// For how long after its proven time a signature counts; zero: as long as it holds.
  std::chrono::seconds max_age{0};

  bool ProvesTimes() const override {
    return !wanted.signing_authorities.empty() || !wanted.timestamp_authorities.empty();
  }

  SignatureResult<registry_bound::VerifiedSignature> Verify(
      const registry_bound::SignatureBytes& signature, const registry_bound::WantedImage& image,
      TimePoint at) const override;
  bool ages() const override { return true; }
  std::vector<TimePoint> Ends() const override;
};

/// The demand of a rule of this kind. Precondition: it is one.
const NotationDemand& AsNotation(const Demand& demand);

}  // namespace crivet::trust::notation
