// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "trust/base/bytes.h"
#include "trust/signed/verification_key.h"

namespace crivet::trust {

/// CoveredBytes is what a signature covers: the bytes, or, where they are not at hand, no more of
/// them than their SHA-256. That does for ECDSA and RSA with this hash and for nothing else. A
/// view: lives no longer than the bytes.
class CoveredBytes {
 public:
  CoveredBytes() = default;
  CoveredBytes(std::string_view bytes) : what_(bytes) {}  // NOLINT(google-explicit-constructor)
  CoveredBytes(const std::string& bytes)                  // NOLINT(google-explicit-constructor)
      : what_(std::string_view(bytes)) {}
  static CoveredBytes OfSha256(const Sha256& hash) { return CoveredBytes(hash); }

  /// The raw hash; nothing where it is another one than is known.
  std::optional<std::string> Hash(HashAlgorithm hash) const;

  /// As VerificationKey::Verify; kBad where only another hash is known.
  SignatureCheck CheckBy(const VerificationKey& key, SignatureScheme scheme, HashAlgorithm hash,
                         std::string_view signature) const;

 private:
  explicit CoveredBytes(const Sha256& hash) : what_(hash) {}
  std::variant<std::string_view, Sha256> what_;
};

}  // namespace crivet::trust
