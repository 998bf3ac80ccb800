// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/signed/certificate.h"
#include "trust/signed/public_key.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust {

enum class HashAlgorithm : std::uint8_t { kSha256, kSha384, kSha512 };

/// HashOf is the raw hash. Ends the process if the crypto library cannot hash, as Sha256Of does.
std::string HashOf(HashAlgorithm hash, std::string_view bytes);

/// SignatureScheme is how a signature's bytes are to be read. Ed25519 takes no hash.
enum class SignatureScheme : std::uint8_t {
  kEcdsaDer,       ///< ECDSA-Sig-Value in DER (X9.62): sigstore, X.509
  kEcdsaFixed,     ///< r and s, each as wide as the curve (RFC 7518 3.4, RFC 9053 2.1)
  kRsaPkcs1,       ///< RSASSA-PKCS1-v1_5 (RFC 8017 8.2)
  kRsaPss,         ///< RSASSA-PSS, MGF1 of the same hash, a salt as long as the hash (RFC 7518 3.5)
  kRsaPssAnySalt,  ///< the same with a salt of any length: TUF says nothing of it
  kEd25519,        ///< RFC 8032 5.1, pure
};

/// VerificationKey is a public key of the kinds that sign images, and which hash and scheme go with
/// it is the caller's rule. Immutable, cheap to copy, safe to share between threads.
class VerificationKey {
 public:
  enum class Algorithm : std::uint8_t { kP256, kP384, kP521, kRsa, kEd25519 };
  static constexpr std::size_t kMaxPemSize = 64 * 1024;
  static constexpr int kMinRsaBits = 2048;
  static constexpr int kMaxRsaBits = 8192;

  /// FromSpki reads a DER SubjectPublicKeyInfo and nothing behind it. kMalformed where it is none,
  /// kAlgorithm for a kind, curve or size of key that is not accepted.
  static SignatureResult<VerificationKey> FromSpki(std::string_view der);
  /// FromPem reads a text with exactly one block, `PUBLIC KEY`.
  static SignatureResult<VerificationKey> FromPem(std::string_view pem);
  static SignatureResult<VerificationKey> Of(const Certificate& certificate);

  Algorithm algorithm() const;
  int bits() const;
  const std::string& spki() const;
  /// spki_sha256 is the key's fingerprint, and the ID of a log that has this key (RFC 6962 3.2).
  const Sha256& spki_sha256() const;
  /// Whether spki() is what an encoder makes of the key: what is read leniently may be another.
  bool IsInDer() const;

  /// Verify checks one signature. A scheme that is not the key's is kBad.
  SignatureCheck Verify(SignatureScheme scheme, HashAlgorithm hash, std::string_view signature,
                        std::string_view message) const;

  /// VerifySha256 checks one over bytes of which only the SHA-256 is at hand: ECDSA in DER or RSA
  /// by PKCS #1, with this hash. Any other scheme is kBad.
  SignatureCheck VerifySha256(SignatureScheme scheme, std::string_view signature,
                              const Sha256& hash) const;

  /// VerifyUsual checks a signature made as the field makes it with a key of this kind: ECDSA in
  /// DER with the hash of the curve's size, RSA by PKCS #1 with SHA-256, Ed25519. For the keys of
  /// logs.
  SignatureCheck VerifyUsual(std::string_view signature, std::string_view message) const;

  friend bool operator==(const VerificationKey& a, const VerificationKey& b) {
    return a.spki() == b.spki();
  }

 private:
  struct State;
  static SignatureResult<VerificationKey> Checked(std::shared_ptr<State> state,
                                                  std::string_view spki);
  explicit VerificationKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace crivet::trust
