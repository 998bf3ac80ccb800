// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/signed/json.h"
#include "trust/signed/verification_key.h"

namespace crivet::trust::tuf1 {

/// Key is a key object of TUF 1.0 that crivet can verify with
/// (trust/tuf1/FORMAT.md#keys-and-signatures). Immutable, cheap to copy, safe to share between
/// threads.
class Key {
 public:
  /// kMalformed for a key of another type, scheme, curve, strength or encoding than crivet takes.
  static Result<Key> Parse(JsonValue object);

  /// The ID that the key's own bytes give, whatever the file calls it.
  const Sha256& id() const { return id_; }
  /// The same for one public key under whatever type or ID: what thresholds count.
  const Sha256& spki_sha256() const { return key_.spki_sha256(); }

  /// `hex` is the text of `sig`. Whatever is no hex is kBad.
  SignatureCheck Verify(std::string_view hex, std::string_view message) const;

 private:
  struct Scheme {
    SignatureScheme scheme;
    HashAlgorithm hash;
  };
  Key(const Sha256& id, VerificationKey key, Scheme scheme)
      : id_(id), key_(std::move(key)), scheme_(scheme) {}
  static Result<Key> FromHex(std::string_view hex, const Sha256& id);
  static Result<Key> FromPem(std::string_view pem, std::string_view scheme, const Sha256& id);

  Sha256 id_;
  VerificationKey key_;
  Scheme scheme_;
};

}  // namespace crivet::trust::tuf1
