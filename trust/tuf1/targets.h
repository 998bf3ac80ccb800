// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/tuf/entry_fault.h"
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
class Targets {
 public:
  static Result<Targets> Parse(JsonValue content);
  Targets(Targets&&) = default;
  Targets& operator=(Targets&&) = default;

  std::int64_t version() const { return header_.version; }
  TimePoint expires() const { return header_.expires; }
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
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  Targets() = default;
  // by_digest_ points into the nodes of entries_, which a move takes along.
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;
  void IndexDigests();

  MetadataHeader header_;
  std::unordered_map<std::string, TargetEntry, NameHash, std::equal_to<>> entries_;
  std::vector<std::pair<Sha256, const std::string*>> by_digest_;  // sorted
  std::optional<Delegations> delegations_;
};

}  // namespace crivet::trust::tuf1
