// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/covered_bytes.h"

namespace crivet::trust {

std::optional<std::string> CoveredBytes::Hash(HashAlgorithm hash) const {
  if (const auto* bytes = std::get_if<std::string_view>(&what_)) return HashOf(hash, *bytes);
  if (hash != HashAlgorithm::kSha256) return std::nullopt;
  const auto& known = std::get<Sha256>(what_);
  return std::string(reinterpret_cast<const char*>(known.data()), known.size());
}

SignatureCheck CoveredBytes::CheckBy(const VerificationKey& key, SignatureScheme scheme,
                                     HashAlgorithm hash, std::string_view signature) const {
  if (const auto* bytes = std::get_if<std::string_view>(&what_)) {
    return key.Verify(scheme, hash, signature, *bytes);
  }
  if (hash != HashAlgorithm::kSha256) return SignatureCheck::kBad;
  return key.VerifySha256(scheme, signature, std::get<Sha256>(what_));
}

}  // namespace crivet::trust
