#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "trust/core/public_key.h"

namespace crivet::trust {

/// AuthorizedKeys are the keys that may sign for a role and how many of them have to (TUF: keyids
/// and threshold). Every ID has been recomputed from its key.
struct AuthorizedKeys {
  std::map<KeyId, PublicKey> keys;
  std::size_t threshold = 1;

  /// How many different public keys of the role are among `signers`. One public key under two IDs
  /// (two key types, two certificates) counts once (NOTARY B.2).
  std::size_t CountDistinct(const std::set<KeyId>& signers) const;

  /// Whether a file that `signers` have signed is signed well enough for the role.
  bool Covers(const std::set<KeyId>& signers) const { return CountDistinct(signers) >= threshold; }
};

/// The IDs out of `signers` that are keys of the role.
std::set<KeyId> SignersOf(const AuthorizedKeys& authorized, const std::set<KeyId>& signers);

}  // namespace crivet::trust
