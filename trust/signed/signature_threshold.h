// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "trust/base/result.h"
#include "trust/signed/authorized_keys.h"
#include "trust/signed/envelope.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

/// VerifySignatures is the only place where signatures are checked and counted. It returns the IDs
/// of the role's keys that have a good signature on the file, where enough different public keys
/// are among them:
///
///   * the role's keys are walked, not the file's signatures: a key that signed many times counts
///     once, and what other keys signed is not even looked at;
///   * the key's own type chooses the algorithm (CVE-2015-9258);
///   * a public key under several IDs counts once.
///
/// kSignature where no key has a good signature, kThreshold where some have but too few, or too few
/// of those that may sign are of kinds that crivet can use, kState
/// where the crypto library failed and the rest is not enough: that is neither good nor evidence.
Result<std::set<KeyId>> VerifySignatures(const Envelope& envelope,
                                         const AuthorizedKeys& authorized);

}  // namespace crivet::trust
