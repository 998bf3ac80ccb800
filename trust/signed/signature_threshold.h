// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/signed/authorized_keys.h"
#include "trust/signed/envelope.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

/// SignatureCount is how the good signatures of a file are counted, whatever its format: a public
/// key under several IDs counts once (trust/RULES.md#keys-that-count).
class SignatureCount {
 public:
  /// What a key of the role comes to. Its keys are walked, not the file's signatures: one that
  /// signed many times is one.
  void Note(const Sha256& spki_sha256, SignatureCheck check);

  /// The role: how many have to sign, how many keys it lists, and how many of those can be used.
  struct Role {
    std::size_t threshold = 1;
    std::size_t listed = 0;
    std::size_t usable = 0;
  };
  /// kSignature where no key has a good signature, kThreshold where some have but too few, or too
  /// few of those that may sign are of kinds that crivet can use, kState where the crypto library
  /// failed and the rest is not enough: that is neither good nor evidence.
  Result<void> Meets(const Role& role) const;

  /// The public keys that have a good signature.
  const std::set<Sha256>& signers() const { return signers_; }

 private:
  std::set<Sha256> signers_;
  bool library_failed_ = false;
};

/// VerifySignatures checks the signatures of Notary's metadata. It returns the IDs of the role's
/// keys that have a good signature on the file, where they Meet its threshold:
///
///   * the role's keys are walked, not the file's signatures: a key that signed many times counts
///     once, and what other keys signed is not even looked at;
///   * the key's own type chooses the algorithm (CVE-2015-9258).
Result<std::set<KeyId>> VerifySignatures(const Envelope& envelope,
                                         const AuthorizedKeys& authorized);

}  // namespace crivet::trust
