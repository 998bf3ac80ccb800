// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/notation_demand.h"

#include <utility>

#include "trust/notation/notation_dialect.h"
#include "trust/notation/parse_envelope.h"

namespace crivet::trust::notation {

using registry_bound::VerifiedSignature;

SignatureResult<VerifiedSignature> NotationDemand::Verify(
    const registry_bound::SignatureBytes& signature, const registry_bound::WantedImage& image,
    TimePoint at) const {
  auto laid = LaidEnvelope::Of(signature);
  if (!laid) return RefuseSignature(SignatureReason::kMalformed, "not a stored signature");
  const auto envelope = ParseEnvelope(laid->media_type, laid->envelope, wanted.known_chains.get());
  if (!envelope) return tl::unexpected(envelope.error());
  const WantedImage about{
      .digest = image.digest, .size = laid->image.size, .media_type = laid->image.media_type};
  auto verified = VerifyEnvelope(*envelope, about, wanted, at);
  if (!verified) return tl::unexpected(verified.error());
  if (auto added = annotations.Check(verified->annotations, image.tag); !added) {
    return tl::unexpected(added.error());
  }
  VerifiedSignature accepted{std::move(verified->signer), {}, std::move(verified->ageing)};
  if (verified->time) accepted.times.push_back(*verified->time);
  return registry_bound::WithinMaxAge(std::move(accepted), max_age, at);
}

std::vector<TimePoint> NotationDemand::Ends() const {
  std::vector<TimePoint> ends;
  for (const CertificateSet* store :
       {&wanted.authorities, &wanted.signing_authorities, &wanted.timestamp_authorities}) {
    for (const Certificate& certificate : store->certificates()) {
      ends.push_back(certificate.not_after());
    }
  }
  return ends;
}

const NotationDemand& AsNotation(const Demand& demand) {
  return static_cast<const NotationDemand&>(demand);
}

}  // namespace crivet::trust::notation
