// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "trust/decide/collection_id.h"
#include "trust/decide/floor.h"
#include "trust/notary/targets.h"
#include "trust/tuf/file_entry.h"
#include "trust/tuf/metadata.h"
#include "trust/tuf/role_name.h"
#include "trust/tuf/root_link.h"
#include "trust/tuf/root_pin.h"

namespace crivet::trust {

/// VerifiedFile is the metadata of one role with the facts that let another refresh reuse it: that
/// these keys have signed these bytes stays true whoever delegates to the role.
template <typename T>
struct VerifiedFile {
  std::shared_ptr<const T> metadata;
  /// What the bytes were checked against. Of a timestamp: its own size and digest.
  FileEntry listed;
  /// Of what was signed.
  Sha256 signed_sha256{};
  /// Keys of the role, as it was when the file was read, whose signatures verified.
  std::set<KeyId> signers;
};

/// MatchedPin is a pin of the rules with its answer, good until `until`.
struct MatchedPin {
  RootPin pin;
  std::optional<PinMatch> match;
  TimePoint from;
  TimePoint until;
  /// No match, and the server has no older root that would be one.
  bool searched = false;
};

/// The floor that a verified file is.
Floor FloorOf(std::int64_t version, const Sha256& signed_sha256, const std::set<KeyId>& signers);

/// RepositoryParts is what a Repository is made of. Copying it shares the metadata.
struct RepositoryParts {
  CollectionId id;
  std::vector<RootLink> chain;
  VerifiedFile<Timestamp> timestamp;
  VerifiedFile<Snapshot> snapshot;
  /// `targets` and every delegation that was read and has metadata.
  std::map<RoleName, VerifiedFile<Targets>> roles;
  std::set<RoleName> roles_read;
  /// Of files that the set does not hold: a role that no rule reads today, or lost its delegation
  /// to a parent that is not read.
  Floors other_floors;
  TimePoint verified_at;
  std::vector<MatchedPin> pins;

  /// Keys and threshold that the newest root or the delegating role gives a role; null where nobody
  /// does.
  const AuthorizedKeys* AuthorizedFor(const RoleName& role) const;

  /// Every floor: those of the files at hand are what the files say, and need no room of their own.
  Floors floors() const;
};

/// Answers every pin for a chain.
std::vector<MatchedPin> MatchPins(const std::vector<RootPin>& pins,
                                  const std::vector<RootLink>& chain, TimePoint now);

}  // namespace crivet::trust
