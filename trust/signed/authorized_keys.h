// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "trust/signed/public_key.h"

namespace crivet::trust {

/// AuthorizedKeys are the keys that may sign for a role and how many of them have to (TUF: keyids
/// and threshold).
struct AuthorizedKeys {
  /// Every ID has been recomputed from its key.
  std::map<KeyId, PublicKey> keys;
  std::size_t threshold = 1;
  /// The IDs, as written, of further keys that are listed for the role and cannot be used: of a
  /// type, an algorithm or a strength that crivet does not know or take. They verify nothing and
  /// help no file to its threshold.
  std::set<std::string> unusable;

  /// How many different public keys of the role are among `signers`. One public key under two IDs
  /// (two key types, two certificates) counts once (trust/notary/FORMAT.md#keys-and-signatures).
  std::size_t CountDistinct(const std::set<KeyId>& signers) const;

  /// Whether a file that `signers` have signed is signed well enough for the role.
  bool Covers(const std::set<KeyId>& signers) const { return CountDistinct(signers) >= threshold; }

  /// How many keys could sign, were all of the listed ones usable: beyond that no threshold can be
  /// met, by anybody.
  std::size_t CountListed() const;

  /// Whether what was verified with `signers` earlier still binds: all of them are listed, and
  /// together they would still be enough. A key that this build cannot use has lost nothing by
  /// that: only the parent takes a key away.
  bool StillBinds(const std::set<KeyId>& signers) const;
};

/// The IDs out of `signers` that are keys of the role.
std::set<KeyId> SignersOf(const AuthorizedKeys& authorized, const std::set<KeyId>& signers);

}  // namespace crivet::trust
