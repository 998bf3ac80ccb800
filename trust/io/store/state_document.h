// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/floor.h"
#include "trust/decide/record.h"

namespace crivet::trust {

/// Manifest says which files are one repository's committed state, by content, and what has to
/// outlive them.
struct Manifest {
  CollectionId id;
  /// StoredFile::name -> SHA-256 of the file. Anchors alone where no complete set goes with them
  /// any more.
  std::map<std::string, Sha256> files;
  Floors floors;
  TimePoint verified_at;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// More than the most that any kind lists: what is longer would be taken for damage.
inline constexpr std::size_t kMaxManifestBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kMaxRecordsBytes = 16 * 1024 * 1024;

/// The kind of trust that documents without a kind are of: there was no other.
inline constexpr std::string_view kFirstKind = "notary";

/// The format of a document that a later version wrote; nullopt for every other text, damaged or
/// not. Such a document is not damaged: this version cannot know what it says.
std::optional<std::int64_t> LaterFormatIn(std::string_view text);

// Each document is JSON for people to read and carries a checksum over what it says, so that a
// damaged one is told from a true one. Reading is kState for everything that was not written like
// that, one of a later format included; nothing read is half a value. Pure.

std::string WriteManifest(const Manifest& manifest);
Result<Manifest> ReadManifest(std::string_view text);

std::string WriteRecords(const CollectionId& id, const Records& records);
/// kState also where the document belongs to another repository.
Result<Records> ReadRecords(const CollectionId& id, std::string_view text);

}  // namespace crivet::trust
