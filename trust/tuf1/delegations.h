// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/signed/json.h"
#include "trust/tuf1/path_pattern.h"
#include "trust/tuf1/signed_file.h"

namespace crivet::trust::tuf1 {

/// Bins are delegations by hash: role = prefix, `-`, the first bits of the target's SHA-256 in hex.
struct Bins {
  unsigned bit_length = 1;  ///< 1 to 32
  std::string prefix;

  /// Precondition: a bit_length as above.
  std::string RoleOf(std::string_view target) const;
  bool Has(std::string_view role) const;
};

/// Whether the SHA-256 of a target, in lower-case hex, begins with one of the prefixes; false where
/// `work` was spent before the end.
bool MatchHashPrefix(const std::vector<std::string>& prefixes, std::string_view sha256_hex,
                     MatchWork& work);

/// TargetToMatch is a name that delegations are matched against; it is hashed once, if at all.
class TargetToMatch {
 public:
  explicit TargetToMatch(std::string_view name) : name_(name) {}
  std::string_view name() const { return name_; }
  const std::string& Sha256Hex();

 private:
  std::string_view name_;
  std::string sha256_hex_;
};

/// DelegatedRole is one delegation by name.
struct DelegatedRole {
  enum class Terminating : std::uint8_t { kNo, kYes };

  std::string name;
  RoleKeys keys;
  Terminating terminating = Terminating::kNo;
  /// One of the two.
  std::optional<std::vector<std::string>> paths;
  std::optional<std::vector<std::string>> hash_prefixes;

  PathMatch Matches(TargetToMatch& target, MatchWork& work) const;
  /// Precondition: it has `paths`.
  TagsMatch MatchesTags(std::string_view prefix, MatchWork& work) const;
};

/// Delegations are to whom a targets role hands parts of its names, in order. Immutable.
class Delegations {
 public:
  static constexpr std::size_t kMaxRoles = 16384;
  /// Of all its roles.
  static constexpr std::size_t kMaxPatterns = 256 * 1024;

  /// kMalformed also where a name is empty, stands twice or is a top-level role's, or there are
  /// both roles and bins, or neither.
  static Result<Delegations> Parse(JsonValue object);

  struct Next {
    std::string role;
    DelegatedRole::Terminating terminating;
  };
  /// Those that may know the target of that name, in order, none after a terminating one.
  /// kMalformed where it comes to a pattern on whose meaning clients disagree, kTooMany where the
  /// work was not enough.
  Result<std::vector<Next>> For(std::string_view name, MatchWork& work) const;

  struct NextForTags {
    struct Next {
      std::string role;
      bool for_every_tag = false;
    };
    std::vector<Next> roles;
    /// Whether one of them is for some by their hash: which ones is not told without their names.
    bool by_hash = false;
    /// Whether no tag's search goes on behind the last of them.
    bool ends = false;
  };
  /// The same for all targets that are `prefix` and a tag: those that may know some of them.
  Result<NextForTags> ForTagsOf(std::string_view prefix, MatchWork& work) const;

  /// Null where nothing is delegated to that role.
  const RoleKeys* KeysOf(std::string_view role) const;
  /// The name of the delegation by which a role is delegated to: its own, or that of all bins.
  std::string NameFor(const std::string& role) const { return bins_ ? bins_->prefix : role; }
  const std::vector<DelegatedRole>& roles() const { return roles_; }
  const std::optional<Bins>& bins() const { return bins_; }
  /// Bytes held; an estimate.
  std::size_t resident_bytes() const;

 private:
  Delegations() = default;
  static Result<DelegatedRole> ReadRole(JsonValue object, KeyTable& keys,
                                        std::size_t& patterns_left);
  static Result<Bins> ReadBins(JsonValue object);

  std::vector<DelegatedRole> roles_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::optional<Bins> bins_;
  RoleKeys bin_keys_;
};

}  // namespace crivet::trust::tuf1
