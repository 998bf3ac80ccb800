// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/demand.h"
#include "trust/registry_bound/signature_demand.h"
#include "trust/sigstore/image_signature.h"

namespace crivet::trust::sigstore {

/// RootFromTuf is a trusted root that is a target of a repository of TUF
/// (trust/sigstore/FORMAT.md#trusted-root).
struct RootFromTuf {
  std::string trust;   ///< the label of the `[trust.*]` that has it
  std::string target;  ///< its name there
  /// Until when that repository vouches for it; nothing: it is not here.
  std::optional<TimePoint> until = std::nullopt;
};

/// SigstoreTrust is what a `[trust.*]` says of its own: what identities and logs hang from.
struct SigstoreTrust final : Demand {
  TrustedRoot root;
  Sha256 sha256{};  ///< of the file that it was read from; zero: of none
  std::optional<RootFromTuf> from;

  bool Equals(const Demand& other) const override;
};

/// SigstoreDemand is what a rule wants of cosign's signatures: whose, in which of its two forms,
/// and what the signer has to have added.
struct SigstoreDemand final : registry_bound::SignatureDemand {
  ImageDemand image;
  bool takes_bundles = true;
  bool takes_legacy = true;
  /// For how long after its newest proven time a signature counts; zero: for ever.
  std::chrono::seconds max_age{0};
  /// Where the trusted root came from, of a demand that needs one.
  std::optional<RootFromTuf> root_from;

  SignatureResult<registry_bound::VerifiedSignature> Verify(
      const registry_bound::SignatureBytes& signature, const WantedImage& about,
      TimePoint at) const override;
  bool ages() const override { return max_age.count() > 0; }
  bool ProvesTimes() const override { return NeedsRoot(); }
  std::optional<Error> NothingNew(TimePoint now) const override;
  bool ReadsClock() const override {
    return ages() || root_from || tag_order == registry_bound::TagOrder::kRefuse;
  }

  /// Whether a verdict over a signature depends on a trusted root.
  bool NeedsRoot() const {
    return image.signer.logs > 0 || std::holds_alternative<KeylessDemand>(image.signer.who);
  }
};

/// The demand of a rule of this kind. Precondition: it is one.
const SigstoreDemand& AsSigstore(const Demand& demand);

}  // namespace crivet::trust::sigstore
