// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/metadata_header.h"
#include "trust/tuf1/delegations.h"
#include "trust/tuf1/metadata.h"

namespace crivet::trust::tuf1 {

/// TargetEntry is what a role says of one name.
struct TargetEntry {
  /// What makes it unusable for everything; the rest counts for nothing then.
  std::optional<EntryFault> fault;
  std::int64_t length = 0;
  Digests hashes;
};

/// Targets is a role that says what names are: `targets` itself, or one that it delegates to.
class Targets : public MetadataHeader {
 public:
  static Result<Targets> Parse(JsonValue content);
  Targets(Targets&&) = default;
  Targets& operator=(Targets&&) = default;

  /// Null where it says nothing of that name.
  const TargetEntry* Find(std::string_view name) const;
  /// The names that have this digest, can be used and begin so, sorted; the first `most` of them.
  /// Views into this.
  std::vector<std::string_view> NamesOf(const Sha256& sha256, std::string_view prefix,
                                        std::size_t most) const;
  std::size_t size() const { return entries_.size(); }
  const std::optional<Delegations>& delegations() const { return delegations_; }
  /// Bytes held; an estimate.
  std::size_t resident_bytes() const;

 private:
  struct Named {
    std::string_view name;
    TargetEntry entry;
  };
  /// Where the entry is that has a digest which begins so.
  struct Digested {
    std::uint64_t begin;
    std::uint32_t at;
  };

  explicit Targets(const MetadataHeader& header) : MetadataHeader(header) {}
  // The names are views into names_, which a move takes along.
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;
  void ReadEntries(const JsonMembers& members);
  void IndexDigests();
  const Sha256& DigestOf(const Digested& entry) const {
    return *entries_[entry.at].entry.hashes.sha256;
  }

  std::vector<char> names_;
  std::vector<Named> entries_;       // by name
  std::vector<Digested> by_digest_;  // by digest, then by name
  std::optional<Delegations> delegations_;
};

}  // namespace crivet::trust::tuf1
