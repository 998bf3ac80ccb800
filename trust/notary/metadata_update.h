// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/floor.h"
#include "trust/decide/refresh.h"
#include "trust/notary/read_files.h"
#include "trust/notary/repository.h"
#include "trust/notary/repository_parts.h"
#include "trust/tuf/age.h"
#include "trust/tuf/metadata.h"
#include "trust/tuf/metadata_request.h"
#include "trust/tuf/root_walk.h"

namespace crivet::trust {

/// MetadataUpdate is one refresh of a repository, driven as Refresh is
/// (trust/RULES.md#refresh-is-one-transaction): it wants files by the repository's own names and
/// decides their order, the walk along the roots, floors and hashes.
///
/// Its cycle is timestamp, snapshot, targets, delegations; roots are read
/// before it (first contact, or the newest root has run out) or in its middle (the snapshot lists
/// another root, or signatures fail and the keys may have been rotated), after which it begins
/// anew. Nothing of `start_` is changed; the end alone makes something new.
class MetadataUpdate {
 public:
  using Source = RefreshStart::Source;
  struct Start {
    CollectionId id;
    Source source = Source::kServer;
    /// As in RefreshStart.
    std::shared_ptr<const Repository> previous = {};
    Floors floors = {};
    std::vector<RootLink> chain = {};
    /// Pins of every rule that reads this repository; one must anchor the chain.
    std::vector<RootPin> pins = {};
    /// Every role that those rules read. `targets` is always among them.
    std::vector<RoleName> roles = {};
    /// The largest grace among those rules.
    std::chrono::seconds grace{0};
    TimePoint now = {};
    /// Of kStore: when the server last confirmed the stored set.
    TimePoint verified_at = {};
    Limits limits = {};
  };

  explicit MetadataUpdate(Start start);

  /// The file it wants next; nullopt once it is over. Stays the same until Supply.
  std::optional<MetadataRequest> Wanted() const { return roots_ ? roots_->Wanted() : wanted_; }
  /// Bytes beyond `max_bytes` or off `sha256` are refused here too.
  void Supply(Fetched answer);
  /// Once. Precondition: Wanted() is nullopt.
  RefreshOutcome Finish() { return std::move(*outcome_); }

 private:
  enum class Step : std::uint8_t { kTimestamp, kSnapshot, kTargets };

  void BeginRoots(std::optional<FileEntry> newest, std::optional<RefreshFailure> otherwise);
  void BeginOlderRoots();
  void EndRoots();

  void BeginCycle();
  void OnTimestamp(std::string bytes);
  void ReadSnapshot();
  void OnSnapshot(std::string bytes);
  void CheckRootListed();
  void ReadRoles();
  void OnTargets(std::string bytes);

  bool IsUnchanged(const Sha256& timestamp) const;
  void CommitUnchanged();
  void Commit();
  bool WasSearched(const RootPin& pin) const;
  bool APinWantsOlderRoots() const;
  std::vector<MatchedPin> MatchedPins() const;
  Floor RootFloor() const;
  Floors OtherFloors() const;
  std::vector<StoredFile> TakeFiles();

  /// Verifies one file of a role below root and keeps it: signatures, shape, floor, expiry, in this
  /// order. False where the cycle ended or was given up for a look at the roots.
  template <typename T, typename ParseContent>
  bool Accept(const RoleName& role, const AuthorizedKeys& authorized, const FileEntry& listed,
              std::string bytes, ParseContent parse, VerifiedFile<T>& out);
  /// Takes a file over from what is known, if it is the listed one and the keys that the role has
  /// now cover it.
  template <typename T>
  bool Reuse(const VerifiedFile<T>* known, const FileEntry& listed,
             const AuthorizedKeys& authorized, VerifiedFile<T>& out) const;
  /// Floor and expiry of a file that verifies.
  template <typename T>
  Result<void> CheckAge(const RoleName& role, const AuthorizedKeys& authorized,
                        const VerifiedFile<T>& file) const;
  template <typename T>
  Result<void> CheckExpiry(const RoleName& role, const T& metadata) const;

  const Root& root() const { return *chain_.back().root; }
  const RepositoryParts* previous() const {
    return start_.previous ? &start_.previous->parts() : nullptr;
  }
  const AuthorizedKeys* AuthorizedFor(const RoleName& delegation) const;

  void Want(Step step, const RoleName& role, std::size_t limit, const FileEntry* listed);
  void End(const RoleName& role, const Error& error);
  void End(RefreshFailure failure);
  std::optional<NewerAnchors> RootsToReport();

  const Start start_;
  const Floors floors_;  ///< those to begin with
  const std::set<RoleName> roles_wanted_;

  /// Trusted roots; grows when newer ones verify.
  std::vector<RootLink> chain_;
  std::optional<RootWalk> roots_;
  bool newest_root_asked_ = false;
  bool listed_root_asked_ = false;
  /// The roots before the chain were looked through for every pin.
  bool searched_ = false;
  /// How the cycle ends if the roots bring nothing new: a signature that did not verify.
  std::optional<RefreshFailure> otherwise_;

  /// What the pending request is for.
  Step step_ = Step::kTimestamp;
  RoleName role_ = RoleName::Timestamp();
  std::optional<MetadataRequest> wanted_;

  // The set as far as it is verified.
  VerifiedFile<Timestamp> timestamp_;
  VerifiedFile<Snapshot> snapshot_;
  std::map<RoleName, VerifiedFile<Targets>> roles_;
  std::set<RoleName>::const_iterator next_role_;
  ReadFiles read_;

  std::optional<RefreshOutcome> outcome_;
};

template <typename T>
Result<void> MetadataUpdate::CheckExpiry(const RoleName& role, const T& metadata) const {
  if (start_.source == Source::kStore) return {};
  const bool graced = role == RoleName::Timestamp() || role == RoleName::Snapshot();
  return CheckTime(role, metadata.version(), metadata.expires(), start_.now,
                   graced ? start_.grace : std::chrono::seconds{0});
}

}  // namespace crivet::trust
