// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/covered_bytes.h"

#include <openssl/rsa.h>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

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
  using Algorithm = VerificationKey::Algorithm;
  const bool rsa = scheme == SignatureScheme::kRsaPkcs1 && key.algorithm() == Algorithm::kRsa;
  const bool ecdsa = scheme == SignatureScheme::kEcdsaDer && key.algorithm() != Algorithm::kRsa &&
                     key.algorithm() != Algorithm::kEd25519;
  if (hash != HashAlgorithm::kSha256 || (!rsa && !ecdsa)) return SignatureCheck::kBad;
  const QuietErrors quiet;
  const auto* at = reinterpret_cast<const unsigned char*>(key.spki().data());
  const openssl::Key decoded(d2i_PUBKEY(nullptr, &at, static_cast<long>(key.spki().size())));
  const openssl::KeyContext context(decoded ? EVP_PKEY_CTX_new(decoded.get(), nullptr) : nullptr);
  if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
      (rsa && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  const auto& known = std::get<Sha256>(what_);
  const int verified = EVP_PKEY_verify(
      context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
      reinterpret_cast<const unsigned char*>(known.data()), known.size());
  return verified == 1 ? SignatureCheck::kGood : SignatureCheck::kBad;
}

}  // namespace crivet::trust
