// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "trust/base/bytes.h"
#include "trust/decide/demand.h"
#include "trust/registry_bound/signature_demand.h"
#include "trust/sigstore/image_signature.h"

namespace crivet::trust::sigstore {

/// SigstoreTrust is what a `[trust.*]` says of its own: what identities and logs hang from.
struct SigstoreTrust final : Demand {
  TrustedRoot root;
  Sha256 sha256{};  ///< of the file that it was read from

  bool Equals(const Demand& other) const override {
    return sha256 == static_cast<const SigstoreTrust&>(other).sha256;
  }
};

/// SigstoreDemand is what a rule wants of cosign's signatures: whose, in which of its two forms,
/// and what the signer has to have added.
struct SigstoreDemand final : registry_bound::SignatureDemand {
  ImageDemand image;
  bool takes_bundles = true;
  bool takes_legacy = true;
  /// For how long after its newest proven time a signature counts; zero: for ever.
  std::chrono::seconds max_age{0};

  SignatureResult<registry_bound::VerifiedSignature> Verify(
      const registry_bound::SignatureBytes& signature, const WantedImage& about,
      TimePoint at) const override;
  bool ages() const override { return max_age.count() > 0; }

  /// Whether a verdict over a signature depends on a trusted root.
  bool NeedsRoot() const {
    return image.signer.logs > 0 || std::holds_alternative<KeylessDemand>(image.signer.who);
  }
};

/// The demand of a rule of this kind. Precondition: it is one.
const SigstoreDemand& AsSigstore(const Demand& demand);

}  // namespace crivet::trust::sigstore
