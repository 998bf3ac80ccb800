// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "trust/base/bytes.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/signed/json.h"
#include "trust/tuf1/key.h"

namespace crivet::trust::tuf1 {

/// RoleKeys are the keys that may sign for a role and how many of them have to.
struct RoleKeys {
  /// By the name that the file gives them, which says nothing of the key.
  std::map<std::string, Key> keys;
  /// Named, and of no kind that crivet can use or nowhere described: they never count.
  std::set<std::string> unusable;
  std::size_t threshold = 1;

  /// The public keys.
  std::set<Sha256> Spkis() const;
  /// Whether what those public keys verified still binds: each still has the role, and they are
  /// still enough (trust/RULES.md#rollback-floors). Nobody binds nothing.
  bool StillBinds(const std::set<Sha256>& signers) const;
};

/// KeyTable is a `keys` object. A key is read when the first role names it.
class KeyTable {
 public:
  /// At most so many in one file.
  static constexpr std::size_t kMaxKeys = 1024;
  /// At most so many names of keys in all roles of one file.
  static constexpr std::size_t kMaxUses = 128 * 1024;

  static Result<KeyTable> Read(JsonValue holder);
  /// Reads `keyids` and `threshold`. A key that cannot be used spoils nothing. A threshold beyond
  /// the keys is read too: that role can never be met.
  Result<RoleKeys> ReadRole(JsonValue role);

 private:
  KeyTable() = default;
  std::unordered_map<std::string_view, JsonValue> objects_;
  std::unordered_map<std::string_view, Result<Key>> parsed_;
  std::size_t uses_ = 0;
};

/// SignedFile is a metadata file whose shape is right and whose content nobody has vouched for yet:
/// `{"signed": {…}, "signatures": [{"keyid", "sig"}]}`. Immutable.
class SignedFile {
 public:
  /// kMalformed for anything else, also where one key ID stands twice in `signatures`
  /// (trust/tuf1/FORMAT.md#files).
  static Result<SignedFile> Parse(std::string_view file, std::size_t max_bytes,
                                  const Limits& limits);

  /// The object under `signed`; valid as long as this.
  JsonValue content() const { return content_; }
  /// Hashes what was signed, each time.
  Sha256 signed_sha256() const { return Sha256Of(signed_bytes_); }

  /// The public keys of the role that have a good signature here, where enough are among them. The
  /// role's keys are walked, not the file's signatures. kSignature where none has one, kThreshold
  /// where too few have, kState where the crypto library failed and the rest is not enough.
  Result<std::set<Sha256>> Verify(const RoleKeys& role) const;

 private:
  SignedFile(JsonDocument document, JsonValue content, std::size_t size,
             std::map<std::string, std::string, std::less<>> signatures);

  JsonDocument document_;
  JsonValue content_;
  std::map<std::string, std::string, std::less<>> signatures_;
  std::string signed_bytes_;
};

}  // namespace crivet::trust::tuf1
