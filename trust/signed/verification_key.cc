// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/verification_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

struct VerificationKey::State {
  Algorithm algorithm;
  int bits = 0;
  std::string spki;
  Sha256 spki_sha256{};
  openssl::Key key;
};

namespace {

const EVP_MD* DigestOf(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::kSha256:
      return EVP_sha256();
    case HashAlgorithm::kSha384:
      return EVP_sha384();
    case HashAlgorithm::kSha512:
      return EVP_sha512();
  }
  return nullptr;
}

using Algorithm = VerificationKey::Algorithm;

std::optional<Algorithm> AlgorithmOf(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < VerificationKey::kMinRsaBits || bits > VerificationKey::kMaxRsaBits) return {};
      return Algorithm::kRsa;
    }
    case EVP_PKEY_ED25519:
      return Algorithm::kEd25519;
    case EVP_PKEY_EC: {
      char name[32] = {};
      std::size_t size = 0;
      if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1) return {};
      const std::string_view group(name, size);
      if (group == "prime256v1") return Algorithm::kP256;
      if (group == "secp384r1") return Algorithm::kP384;
      if (group == "secp521r1") return Algorithm::kP521;
      return {};
    }
    default:
      return {};
  }
}

std::size_t CoordinateSize(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kP256:
      return 32;
    case Algorithm::kP384:
      return 48;
    case Algorithm::kP521:
      return 66;
    case Algorithm::kRsa:
    case Algorithm::kEd25519:
      break;
  }
  return 0;
}

// DER of r and s, for the library; empty where the width is not the curve's.
std::string DerOfFixed(std::string_view fixed, std::size_t width) {
  if (width == 0 || fixed.size() != 2 * width) return {};
  const auto* bytes = reinterpret_cast<const unsigned char*>(fixed.data());
  const int size = static_cast<int>(width);
  openssl::BigNumber r(BN_bin2bn(bytes, size, nullptr));
  openssl::BigNumber s(BN_bin2bn(bytes + width, size, nullptr));
  const openssl::EcdsaSignature signature(ECDSA_SIG_new());
  if (!r || !s || !signature) return {};
  // From here on they are the signature's.
  if (ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  if (der_size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(der_size));
  OPENSSL_free(der);
  return text;
}

bool Fits(SignatureScheme scheme, Algorithm algorithm) {
  switch (scheme) {
    case SignatureScheme::kEcdsaDer:
    case SignatureScheme::kEcdsaFixed:
      return CoordinateSize(algorithm) != 0;
    case SignatureScheme::kRsaPkcs1:
    case SignatureScheme::kRsaPss:
    case SignatureScheme::kRsaPssAnySalt:
      return algorithm == Algorithm::kRsa;
    case SignatureScheme::kEd25519:
      return algorithm == Algorithm::kEd25519;
  }
  return false;
}

// Of PSS: how long its salt has to be, as the library says it.
std::optional<int> SaltOf(SignatureScheme scheme) {
  if (scheme == SignatureScheme::kRsaPss) return RSA_PSS_SALTLEN_DIGEST;
  if (scheme == SignatureScheme::kRsaPssAnySalt) return RSA_PSS_SALTLEN_AUTO;
  return std::nullopt;
}

}  // namespace

std::string HashOf(HashAlgorithm hash, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, DigestOf(hash), nullptr) != 1) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(digest), size};
}

SignatureResult<VerificationKey> VerificationKey::FromSpki(std::string_view der) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > kMaxPemSize) {
    return RefuseSignature(SignatureReason::kMalformed, "not a public key: its size");
  }
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  auto state = std::make_shared<State>();
  state->key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!state->key || at != reinterpret_cast<const unsigned char*>(der.data()) + der.size()) {
    return RefuseSignature(SignatureReason::kMalformed,
                           "not a public key in DER, or one of an unknown kind");
  }
  return Checked(std::move(state), der);
}

SignatureResult<VerificationKey> VerificationKey::Checked(std::shared_ptr<State> state,
                                                          std::string_view spki) {
  const auto algorithm = AlgorithmOf(state->key.get());
  if (!algorithm) {
    return RefuseSignature(
        SignatureReason::kAlgorithm,
        "a key that is not ECDSA on P-256, P-384 or P-521, RSA from 2048 bits, or Ed25519");
  }
  state->algorithm = *algorithm;
  state->bits = EVP_PKEY_get_bits(state->key.get());
  state->spki = std::string(spki);
  state->spki_sha256 = Sha256Of(spki);
  return VerificationKey(std::move(state));
}

SignatureResult<VerificationKey> VerificationKey::FromPem(std::string_view pem) {
  const QuietErrors quiet;
  if (pem.size() > kMaxPemSize)
    return RefuseSignature(SignatureReason::kMalformed, "too large for a public key");
  const openssl::Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!in) return RefuseSignature(SignatureReason::kMalformed, "no memory for the key");
  std::optional<std::string> der;
  while (true) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* bytes = nullptr;
    long size = 0;
    if (PEM_read_bio(in.get(), &name, &header, &bytes, &size) != 1) {
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return RefuseSignature(SignatureReason::kMalformed, "a damaged PEM block");
    }
    const bool is_key = std::strcmp(name, PEM_STRING_PUBLIC) == 0 && *header == '\0';
    std::string block(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
    if (!is_key)
      return RefuseSignature(SignatureReason::kMalformed, "a PEM block that is not a PUBLIC KEY");
    if (der) return RefuseSignature(SignatureReason::kMalformed, "more than one public key");
    der = std::move(block);
  }
  if (!der) return RefuseSignature(SignatureReason::kMalformed, "no PUBLIC KEY in PEM");
  return FromSpki(*der);
}

SignatureResult<VerificationKey> VerificationKey::Of(const Certificate& certificate) {
  const QuietErrors quiet;
  // Decoding a key takes longer than using it.
  const openssl::X509Certificate x509(certificate.Decoded());
  auto state = std::make_shared<State>();
  state->key.reset(x509 ? X509_get_pubkey(x509.get()) : nullptr);
  if (!state->key) return FromSpki(certificate.spki());
  return Checked(std::move(state), certificate.spki());
}

VerificationKey::Algorithm VerificationKey::algorithm() const { return state_->algorithm; }
int VerificationKey::bits() const { return state_->bits; }
const std::string& VerificationKey::spki() const { return state_->spki; }
const Sha256& VerificationKey::spki_sha256() const { return state_->spki_sha256; }

bool VerificationKey::IsInDer() const {
  const QuietErrors quiet;
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(state_->key.get(), &bytes);
  if (size <= 0) return false;
  const std::string_view encoded(reinterpret_cast<const char*>(bytes),
                                 static_cast<std::size_t>(size));
  const bool same = encoded == state_->spki;
  OPENSSL_free(bytes);
  return same;
}

SignatureCheck VerificationKey::Verify(SignatureScheme scheme, HashAlgorithm hash,
                                       std::string_view signature, std::string_view message) const {
  if (!Fits(scheme, state_->algorithm)) return SignatureCheck::kBad;
  std::string der;
  if (scheme == SignatureScheme::kEcdsaFixed) {
    der = DerOfFixed(signature, CoordinateSize(state_->algorithm));
    if (der.empty()) return SignatureCheck::kBad;
    signature = der;
  }
  const QuietErrors quiet;
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // the digest context's own
  const EVP_MD* digest = scheme == SignatureScheme::kEd25519 ? nullptr : DigestOf(hash);
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, state_->key.get()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  if (const std::optional<int> salt = SaltOf(scheme);
      salt && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
               EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, *salt) != 1)) {
    return SignatureCheck::kLibraryFailure;
  }
  // 0 is a wrong signature, and so is one that cannot be read (negative): both are evidence.
  const int verified = EVP_DigestVerify(
      context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
      reinterpret_cast<const unsigned char*>(message.data()), message.size());
  return verified == 1 ? SignatureCheck::kGood : SignatureCheck::kBad;
}

SignatureCheck VerificationKey::VerifySha256(SignatureScheme scheme, std::string_view signature,
                                             const Sha256& hash) const {
  const bool rsa = scheme == SignatureScheme::kRsaPkcs1;
  if (!Fits(scheme, state_->algorithm) || (!rsa && scheme != SignatureScheme::kEcdsaDer)) {
    return SignatureCheck::kBad;
  }
  const QuietErrors quiet;
  const openssl::KeyContext context(EVP_PKEY_CTX_new(state_->key.get(), nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
      (rsa && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  const int verified =
      EVP_PKEY_verify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                      signature.size(), hash.data(), hash.size());
  return verified == 1 ? SignatureCheck::kGood : SignatureCheck::kBad;
}

SignatureCheck VerificationKey::VerifyUsual(std::string_view signature,
                                            std::string_view message) const {
  switch (state_->algorithm) {
    case Algorithm::kP256:
      return Verify(SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256, signature, message);
    case Algorithm::kP384:
      return Verify(SignatureScheme::kEcdsaDer, HashAlgorithm::kSha384, signature, message);
    case Algorithm::kP521:
      return Verify(SignatureScheme::kEcdsaDer, HashAlgorithm::kSha512, signature, message);
    case Algorithm::kRsa:
      return Verify(SignatureScheme::kRsaPkcs1, HashAlgorithm::kSha256, signature, message);
    case Algorithm::kEd25519:
      return Verify(SignatureScheme::kEd25519, HashAlgorithm::kSha256, signature, message);
  }
  return SignatureCheck::kBad;
}

}  // namespace crivet::trust
