// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/signed/json.h"
#include "trust/tuf/metadata_header.h"
#include "trust/tuf1/signed_file.h"

namespace crivet::trust::tuf1 {

// The metadata of TUF 1.0 (trust/tuf1/FORMAT.md#files). Parse takes the object under `signed` and
// says nothing about who signed it: that is SignedFile::Verify. All are immutable and safe to
// share.

inline constexpr std::string_view kRoot = "root";
inline constexpr std::string_view kTimestamp = "timestamp";
inline constexpr std::string_view kSnapshot = "snapshot";
inline constexpr std::string_view kTargets = "targets";

/// Whether a name is one of those four.
bool IsTopLevel(std::string_view role);

/// Reads `_type`, `spec_version`, `version` and `expires`: major version 1, and time in the one
/// spelling of the specification.
Result<MetadataHeader> ReadHeader(JsonValue content, std::string_view type,
                                  std::initializer_list<std::string_view> members);

/// Sha512FromHex reads exactly 128 lower-case hex digits.
std::optional<Sha512> Sha512FromHex(std::string_view hex);

/// Digests are the hashes that somebody listed for some bytes.
struct Digests {
  std::optional<Sha256> sha256;
  std::optional<Sha512> sha512;

  /// kMalformed where one that is known is no lower-case hex of its length.
  static Result<Digests> Read(JsonValue hashes);
  bool HasKnown() const { return sha256 || sha512; }
  /// Whether there is one that is known, and the bytes have all that are.
  bool Fit(std::string_view bytes) const;
};

/// MetaEntry is how one role lists the file of another.
struct MetaEntry {
  std::int64_t version = 0;
  std::optional<std::size_t> length;
  /// Set where hashes are listed; then bytes have to fit them.
  std::optional<Digests> hashes;

  static Result<MetaEntry> Read(JsonValue entry);
  /// kHash where the file is longer than listed, or hashes are listed and it does not fit them.
  Result<void> Check(std::string_view file) const;
};

/// Root says which keys speak for each of the four top-level roles.
class Root : public MetadataHeader {
 public:
  static Result<Root> Parse(JsonValue content);

  /// Whether files of other roles have their version in front of their names.
  bool consistent_snapshot() const { return consistent_snapshot_; }
  /// Precondition: IsTopLevel.
  const RoleKeys& KeysOf(std::string_view role) const { return roles_.find(role)->second; }

 private:
  explicit Root(const MetadataHeader& header) : MetadataHeader(header) {}
  bool consistent_snapshot_ = false;
  std::map<std::string, RoleKeys, std::less<>> roles_;
};

/// Timestamp names the newest snapshot.
class Timestamp : public MetadataHeader {
 public:
  static Result<Timestamp> Parse(JsonValue content);

  const MetaEntry& snapshot() const { return snapshot_; }

 private:
  explicit Timestamp(const MetadataHeader& header) : MetadataHeader(header) {}
  MetaEntry snapshot_;
};

/// Snapshot lists the version of every targets role as one consistent set.
class Snapshot : public MetadataHeader {
 public:
  static constexpr std::size_t kMaxEntries = 256 * 1024;

  static Result<Snapshot> Parse(JsonValue content);

  /// Null where the role is not listed.
  const MetaEntry* Find(std::string_view role) const;
  /// By the name of the file: `targets.json`.
  const std::map<std::string, MetaEntry, std::less<>>& entries() const { return entries_; }

 private:
  explicit Snapshot(const MetadataHeader& header) : MetadataHeader(header) {}
  std::map<std::string, MetaEntry, std::less<>> entries_;
};

}  // namespace crivet::trust::tuf1
