// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/signed/authorized_keys.h"
#include "trust/signed/json.h"
#include "trust/signed/public_key.h"
#include "trust/tuf/file_entry.h"
#include "trust/tuf/metadata_header.h"
#include "trust/tuf/role_name.h"

namespace crivet::trust {

// The four kinds of Notary's metadata (trust/notary/FORMAT.md#envelopes). Parse takes the object
// under `signed` and says nothing about who signed it: that is VerifySignatures. All are immutable
// and safe to share.
//
// Strictness is the same everywhere: `_type` is exact, names of members are exact and one in
// another case is refused, null and wrong types are refused, `version` is at least 1. Members that
// the format does not know are part of what was signed and otherwise ignored.

/// Root says which keys speak for each of the four base roles.
class Root : public MetadataHeader {
 public:
  /// kMalformed also where a base role is missing, a threshold is below 1 or beyond the different
  /// keys that the role lists, or a usable key's ID is not the one that its bytes give.
  static Result<Root> Parse(JsonValue content, const Limits& limits);

  /// Precondition: a base role.
  const AuthorizedKeys& KeysOf(const RoleName& base_role) const;

 private:
  explicit Root(const MetadataHeader& header) : MetadataHeader(header) {}
  /// Of the four, in the order of kBaseRoles.
  std::array<AuthorizedKeys, 4> roles_;
};

/// Timestamp names the newest snapshot.
class Timestamp : public MetadataHeader {
 public:
  static Result<Timestamp> Parse(JsonValue content, const Limits& limits);

  const FileEntry& snapshot() const { return snapshot_; }

 private:
  explicit Timestamp(const MetadataHeader& header) : MetadataHeader(header) {}
  FileEntry snapshot_;
};

/// Snapshot lists the newest root, targets and delegations as one consistent set.
class Snapshot : public MetadataHeader {
 public:
  /// kMalformed also where root or targets is not listed. An entry whose name is no role's is
  /// ignored.
  static Result<Snapshot> Parse(JsonValue content, const Limits& limits);

  /// Null where the role is not listed; never null for root and targets.
  const FileEntry* Find(const RoleName& role) const;

 private:
  explicit Snapshot(const MetadataHeader& header) : MetadataHeader(header) {}
  std::map<RoleName, FileEntry> entries_;
};

}  // namespace crivet::trust
