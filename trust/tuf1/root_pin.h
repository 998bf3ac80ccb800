// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// RootPin is what a `[trust.*]` accepts as the beginning of a chain of roots
/// (trust/RULES.md#roots). One match among all members suffices. At least one member is set (config
/// checks it).
struct RootPin {
  /// The configuration's own root.json.
  std::optional<Verified<Root>> file;
  /// Each is the ID that a key's own bytes give, whatever files call it, or the SHA-256 of its
  /// SubjectPublicKeyInfo.
  std::set<Sha256> key_ids;
  /// Trust on first use: the first root that verifies itself.
  bool tofu = false;

  friend bool operator==(const RootPin&, const RootPin&) = default;
};

/// Whether the pin names this very root: it is the pin's file, or one of the keys signed it. A tofu
/// pin matches no root by itself.
bool Matches(const RootPin& pin, const Verified<Root>& root);

/// Whether one of those IDs is the key's that signed the root.
bool IsSignedBy(const Verified<Root>& root, const Sha256& key_id);

/// Where the pin first matches in a chain, oldest first. A tofu pin matches the oldest.
std::optional<std::size_t> MatchChain(const RootPin& pin, const std::vector<Verified<Root>>& chain);

/// All the pins of those who read one repository.
using RootPins = std::vector<RootPin>;

/// The oldest of their files: the chain begins there. Null where none has one.
const Verified<Root>* OldestFile(const RootPins& pins);

/// The part of a chain that begins with the first root that any of the pins matches; empty where
/// none does.
std::vector<Verified<Root>> Anchored(std::vector<Verified<Root>> chain, const RootPins& pins);

}  // namespace crivet::trust::tuf1
