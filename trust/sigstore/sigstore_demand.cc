// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_demand.h"

#include <string>
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
  return registry_bound::WithinMaxAge(
      {std::move(verified->signer.name), std::move(verified->signer.times)}, max_age, at);
}

std::optional<Error> SigstoreDemand::NothingNew(TimePoint now) const {
  if (!root_from) return std::nullopt;
  const std::string root =
      "the trusted root, " + root_from->target + " of [trust." + root_from->trust + "], ";
  if (!root_from->until) {
    return Error{Reason::kNoTrustData, root + "is not on this node yet: crivet status says why"};
  }
  if (now < *root_from->until) return std::nullopt;
  return Error{Reason::kExpired, root +
                                     "counts for nothing new: its repository has expired or taken "
                                     "its keys away, and crivet status says why it is not renewed"};
}

bool SigstoreTrust::Equals(const Demand& other) const {
  const auto& b = static_cast<const SigstoreTrust&>(other);
  const auto place = [](const std::optional<RootFromTuf>& of) {
    return of ? std::pair(of->trust, of->target) : std::pair<std::string, std::string>();
  };
  return sha256 == b.sha256 && place(from) == place(b.from);
}

const SigstoreDemand& AsSigstore(const Demand& demand) {
  return static_cast<const SigstoreDemand&>(demand);
}

}  // namespace crivet::trust::sigstore
