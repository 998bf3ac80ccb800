#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "trust/core/authorized_keys.h"
#include "trust/core/json.h"
#include "trust/core/limits.h"
#include "trust/core/metadata.h"
#include "trust/core/result.h"
#include "trust/core/time.h"

namespace crivet::trust {

// How the metadata types read what was signed: strictly, and in one way. Every failure is
// kMalformed and names the member that is wrong, never its content.

/// The member of that name and type; a null, another type or no member fails.
Result<JsonValue> ReadMember(JsonValue object, std::string_view name, JsonType type);

Result<std::int64_t> ReadInteger(JsonValue object, std::string_view name);
Result<std::string_view> ReadString(JsonValue object, std::string_view name);

/// What all four kinds begin with.
struct MetadataHeader {
  std::int64_t version = 0;
  TimePoint expires;
};

/// Reads `_type`, `version` and `expires`. `members` are the further names that the kind knows:
/// none of them, nor the three, may stand there in another case.
Result<MetadataHeader> ReadHeader(JsonValue content, std::string_view type,
                                  std::initializer_list<std::string_view> members);

/// Reads `{"length": …, "hashes": {…}}`; SHA-256 is mandatory, SHA-512 is read where it stands.
Result<FileEntry> ReadFileEntry(JsonValue entry);

/// KeyTable is a `keys` object. Keys are parsed only when a role names them: files keep retired
/// keys, and one of a forgotten kind must not lock anybody out.
class KeyTable {
 public:
  static Result<KeyTable> Read(JsonValue keys, const Limits& limits);

  enum class OnUnusable : std::uint8_t {
    kRefuse,
    kLeaveOut,  ///< a key of a kind that crivet cannot use is as good as none
  };

  /// Reads `keyids` and `threshold` of a role object. A key ID must stand in the table and be the
  /// one that the key's bytes give; the threshold is at least 1. An ID listed twice counts once.
  Result<AuthorizedKeys> ReadAuthorized(JsonValue role, OnUnusable on_unusable) const;

 private:
  KeyTable(JsonValue keys, const Limits& limits) : keys_(keys), max_keys_(limits.keys) {}
  JsonValue keys_;
  std::size_t max_keys_;
};

}  // namespace crivet::trust
