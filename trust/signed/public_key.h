// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/json.h"

namespace crivet::trust {

/// KeyId names a key: 64 lower-case hex digits. An ID out of a file is a claim; PublicKey computes
/// its own.
class KeyId {
 public:
  /// Parse is kMalformed for any other text.
  static Result<KeyId> Parse(std::string_view hex);
  explicit KeyId(const Sha256& bytes) : bytes_(bytes) {}

  const Sha256& bytes() const { return bytes_; }
  std::string ToString() const { return ToHex(bytes_); }

  friend bool operator==(const KeyId&, const KeyId&) = default;
  friend auto operator<=>(const KeyId&, const KeyId&) = default;

 private:
  Sha256 bytes_;
};

enum class KeyType : std::uint8_t { kEcdsa, kEcdsaX509, kRsa, kRsaX509, kEd25519 };

/// NameOf is the type's name in metadata, e.g. `ecdsa-x509`.
std::string_view NameOf(KeyType type);

/// SignatureCheck keeps an attack apart from a breakage: only kGood counts, only kBad is evidence
/// against the signer.
enum class SignatureCheck : std::uint8_t { kGood, kBad, kLibraryFailure };

/// SignedBytes is a message with its SHA-256, so that several keys can check it and it is hashed
/// once. A view: lives no longer than what it was made of.
class SignedBytes {
 public:
  explicit SignedBytes(std::string_view bytes) : sha256_(Sha256Of(bytes)), bytes_(bytes) {}
  /// The message is the value's canonical form. It is held in memory only while an Ed25519 key, the
  /// one kind that does not sign a hash, checks it: a targets file has megabytes.
  explicit SignedBytes(JsonValue value) : sha256_(CanonicalSha256(value)), bytes_(value) {}

  const Sha256& sha256() const { return sha256_; }
  std::string bytes() const;

 private:
  Sha256 sha256_;
  std::variant<std::string_view, JsonValue> bytes_;
};

/// PublicKey is a key of Notary's metadata (trust/notary/FORMAT.md#keys-and-signatures) in its one
/// accepted encoding, so that no key has two IDs of one type. Immutable, cheap to copy, safe to
/// share between threads.
class PublicKey {
 public:
  static constexpr std::size_t kMaxPublicSize = 256 * 1024;
  static constexpr std::size_t kMaxBundle = 16;
  static constexpr int kMinRsaBits = 2048;
  static constexpr int kMaxRsaBits = 8192;

  /// Parse reads `keytype` and `keyval.public` of a key object:
  ///   ecdsa, rsa            DER SubjectPublicKeyInfo; P-224, P-256, P-384, P-521; 2048-8192 bits
  ///   ecdsa-x509, rsa-x509  PEM certificates, the first of which holds the key
  ///   ed25519               32 bytes
  /// kMalformed for everything else: another type, a key of another algorithm than its type says,
  /// another encoding than the canonical one, weak or oversized keys.
  static Result<PublicKey> Parse(std::string_view key_type, std::string_view base64_public);

  KeyType type() const;
  /// id is computed as Notary does: the hash of the canonical key object with `private: null`,
  /// whatever the file called the key. For x509 types it covers the whole bundle.
  const KeyId& id() const;
  /// canonical_id is what `notary key list` prints: the ID that the leaf's public key has as a
  /// plain key. The same in every repository of one root key. Equals id() where there is no
  /// certificate.
  const KeyId& canonical_id() const;
  /// spki_sha256 is the same for one public key under whatever type, certificate or ID: what
  /// thresholds count.
  const Sha256& spki_sha256() const;
  /// certificates is the bundle as it stands in the file, leaf first; empty for plain keys.
  const std::vector<Certificate>& certificates() const;

  /// Verify checks one signature, raw as decoded from base64. `method` is compared without case and
  /// must belong to the key's type: ecdsa | rsapss or rsapkcs1v15 | eddsa; any other is kBad. ECDSA
  /// is r and s of fixed width over SHA-256, PSS has a salt of exactly 32 bytes.
  SignatureCheck Verify(std::string_view method, std::string_view signature,
                        const SignedBytes& message) const;
  SignatureCheck Verify(std::string_view method, std::string_view signature,
                        std::string_view message) const {
    return Verify(method, signature, SignedBytes(message));
  }

  friend bool operator==(const PublicKey& a, const PublicKey& b) { return a.id() == b.id(); }

 private:
  struct Certified;
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

enum class ExpiryCheck : std::uint8_t { kEnforce, kIgnore };

/// CheckRootCertificate tells whether a key may stand in the root role of this collection
/// (trust/notary/FORMAT.md#root-certificates): an x509 key whose bundle has exactly one certificate
/// that is no CA, and it first; whose CN matches the collection's name; whose signature is not over
/// SHA-1; and whose ID is that of the bundle encoded anew from the leaf and those intermediates
/// that may be used. kEnforce also wants the leaf valid at `now` (one day of slack on its
/// beginning) and expired intermediates left out; kIgnore is for the older links of a chain.
/// kUntrustedRoot, kExpired where only the leaf's dates are wrong.
Result<void> CheckRootCertificate(const PublicKey& key, std::string_view name, TimePoint now,
                                  ExpiryCheck expiry);

/// CommonNameMatches: equal to the name, or ends in `*` and the name begins with what is left
/// without the asterisks at its end. `*` inside has no meaning.
bool CommonNameMatches(std::string_view common_name, std::string_view name);

/// ChainsTo tells whether the key's leaf chains to one of the authorities (see Certificate's).
/// Never for plain keys.
bool ChainsTo(const PublicKey& key, const CertificateSet& authorities, TimePoint now);

}  // namespace crivet::trust

template <>
struct std::hash<crivet::trust::KeyId> {
  std::size_t operator()(const crivet::trust::KeyId& id) const noexcept;
};
