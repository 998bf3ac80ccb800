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

#include "trust/base/image_reference.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/notary/tag_index.h"
#include "trust/signed/authorized_keys.h"
#include "trust/signed/json.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/metadata_header.h"
#include "trust/tuf/role_name.h"

namespace crivet::trust {

/// Delegation is what a targets role says of a role below it.
struct Delegation {
  RoleName name;
  /// The role may be unable to meet its threshold: that is an error of whoever reads the role, not
  /// of its parent.
  AuthorizedKeys keys;
  /// The role may list a tag only if one of these is a prefix of it; none: no tag, `""`: every tag.
  std::vector<std::string> paths;
};

/// Targets is the metadata of `targets` or of a delegation: which digest each tag has, and who may
/// say more (trust/notary/FORMAT.md#envelopes). Immutable, safe to share between threads; see
/// metadata.h for what Parse refuses everywhere.
class Targets : public MetadataHeader {
 public:
  /// kMalformed also for a delegation whose name does not lie directly below `role`, is there
  /// twice, has a threshold below 1 or a usable key under an ID that is not its own. An entry of
  /// `targets` that cannot be used spoils no other; one whose name is no tag is passed over, since
  /// no image has that name. `file_sha256` seeds the index.
  static Result<Targets> Parse(JsonValue content, const RoleName& role, const Sha256& file_sha256,
                               const Limits& limits);

  const RoleName& role() const { return role_; }

  /// What this file says, whether or not the delegation's paths let the role say it:
  /// Repository::Lookup asks that too.
  std::optional<Sha256Digest> Find(std::string_view tag) const { return tags_.Find(tag); }
  /// What is wrong with the entry of a tag; nullopt where nothing is, or there is none.
  std::optional<EntryFault> FaultOf(std::string_view tag) const;
  TagIndex::TagRange TagsOf(const Sha256Digest& digest) const { return tags_.TagsOf(digest); }
  std::size_t size() const { return tags_.size(); }

  const std::vector<Delegation>& delegations() const { return delegations_; }
  /// Null where this role delegates to no role of that name.
  const Delegation* FindDelegation(const RoleName& name) const;

  /// Bytes held; an estimate.
  std::size_t resident_bytes() const;

 private:
  Targets(const MetadataHeader& header, RoleName role)
      : MetadataHeader(header), role_(std::move(role)) {}
  RoleName role_;
  TagIndex tags_;
  std::map<std::string, EntryFault, std::less<>> faults_;
  std::vector<Delegation> delegations_;
};

}  // namespace crivet::trust
