// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_demand.h"

#include <utility>

#include "trust/sigstore/bundle.h"
#include "trust/sigstore/sigstore_dialect.h"

namespace crivet::trust::sigstore {
namespace {

SignatureResult<ImageSignature> VerifyForm(const registry_bound::SignatureBytes& signature,
                                           const WantedImage& image, const ImageDemand& demand) {
  if (signature.form() == kBundleForm) {
    const auto bundle = Bundle::Parse(signature.bytes());
    if (!bundle) return tl::unexpected(bundle.error());
    return VerifyBundle(*bundle, image, demand);
  }
  const auto legacy = LegacyLayer::Of(signature);
  if (!legacy) return RefuseSignature(SignatureReason::kMalformed, "not a stored signature");
  return VerifyLegacy(legacy->layer, legacy->payload, image, demand);
}

}  // namespace

SignatureResult<registry_bound::VerifiedSignature> SigstoreDemand::Verify(
    const registry_bound::SignatureBytes& signature, const WantedImage& about, TimePoint at) const {
  const bool wanted = (signature.form() == kBundleForm && takes_bundles) ||
                      (signature.form() == kLegacyForm && takes_legacy);
  if (!wanted) {
    return RefuseSignature(
        SignatureReason::kUnsigned,
        "a signature in the form " + signature.form() + ", which the rule does not take");
  }
  auto verified = VerifyForm(signature, about, image);
  if (!verified) return tl::unexpected(verified.error());
  registry_bound::VerifiedSignature accepted{std::move(verified->signer.name),
                                             std::move(verified->signer.times)};
  if (!ages()) return accepted;
  if (accepted.times.empty()) {
    return RefuseSignature(SignatureReason::kTimestamp,
                           "nothing proves when it was made, which max_age wants to know");
  }
  const TimePoint newest = accepted.times.back();
  const SignatureError then{SignatureReason::kTooOld,
                            "signed at " + FormatRfc3339(newest) + ", longer ago than max_age"};
  if (newest + max_age < at) return tl::unexpected(then);
  accepted.ageing = registry_bound::Ageing{newest + max_age, then};
  return accepted;
}

const SigstoreDemand& AsSigstore(const Demand& demand) {
  return static_cast<const SigstoreDemand&>(demand);
}

}  // namespace crivet::trust::sigstore
