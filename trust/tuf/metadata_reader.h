// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/signed/authorized_keys.h"
#include "trust/signed/json.h"
#include "trust/signed/json_member.h"
#include "trust/tuf/file_entry.h"
#include "trust/tuf/metadata_header.h"

namespace crivet::trust {

// How the metadata types read what was signed: strictly, and in one way. Every failure is
// kMalformed and names the member that is wrong, never its content.

/// Reads `_type`, `version` and `expires`. `members` are the further names that the kind knows:
/// none of them, nor the three, may stand there in another case.
Result<MetadataHeader> ReadHeader(JsonValue content, std::string_view type,
                                  std::initializer_list<std::string_view> members);

/// Reads `{"length": …, "hashes": {…}}`; SHA-256 is mandatory, SHA-512 is read where it stands.
Result<FileEntry> ReadFileEntry(JsonValue entry);

/// KeyTable is a `keys` object. Keys are parsed only when a role names them: files keep retired
/// keys.
///
/// A key that crivet cannot use counts for nothing and spoils nothing, in every role, root too: its
/// type is not known, or it is of a known one and another algorithm, curve, strength or encoding
/// than crivet takes. A publisher who adds tomorrow's key beside today's would otherwise keep every
/// node at the root before for ever, since each root after it builds on this one. Nothing is lost
/// by it: a key that nobody can verify with has no signature that could count.
///
/// Strict is what no publisher's file can be: the shape of a key object of a known type, which
/// Notary's own reader refuses as well, an ID that is in no table, and a usable key under an ID
/// that is not its own. Of a key of an unknown type only `keytype` is read.
class KeyTable {
 public:
  static Result<KeyTable> Read(JsonValue keys, const Limits& limits);

  /// Reads `keyids` and `threshold` of a role object; the threshold is at least 1. An ID listed
  /// twice counts once.
  Result<AuthorizedKeys> ReadAuthorized(JsonValue role) const;

 private:
  KeyTable(JsonValue keys, const Limits& limits) : keys_(keys), max_keys_(limits.keys) {}
  JsonValue keys_;
  std::size_t max_keys_;
};

}  // namespace crivet::trust
