// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trust/decide/refresh.h"
#include "trust/tuf1/repository.h"
#include "trust/tuf1/search.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {

/// RolesAhead gets anew the delegated roles that the set before had and whose files the snapshot no
/// longer lists, so that their names can be answered without waiting. One that cannot be had stays
/// as it is: it is stale, and asked for again where a name leads to it. Driven as Refresh is.
class RolesAhead {
 public:
  struct Start {
    Trusted trusted;
    std::set<std::string> roles;
    TimePoint now = {};
    Caps caps = {};
  };
  explicit RolesAhead(Start start);

  const std::optional<MetadataRequest>& Wanted() const { return wanted_; }
  /// Precondition: it wants a file.
  const std::string& wanted_role() const { return waiting_.front().role; }
  void Supply(Fetched answer);
  const Trusted& trusted() const { return trusted_; }
  /// Whether every one of them is here.
  bool HasAll() const { return has_all_; }

 private:
  void GoOn();
  void Follow(const std::string& role);

  Trusted trusted_;
  std::set<std::string> roles_;
  const TimePoint now_;
  const Caps caps_;
  std::deque<RoleFile> waiting_;
  std::optional<MetadataRequest> wanted_;
  bool has_all_ = true;
};

/// TufRefresh is a refresh of one repository, or of what one name needs, from the server
/// (trust/tuf1/FORMAT.md#what-is-kept).
///
/// Of all: the client workflow, then the delegated roles in use. For a name: the roles that its
/// search misses, under the committed snapshot; where one of them cannot be had although the server
/// answers, the workflow once, and the search again.
class TufRefresh final : public Refresh {
 public:
  explicit TufRefresh(RefreshStart start);

  std::optional<FileRequest> Wanted() const override;
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override { return *std::move(outcome_); }

 private:
  /// A name that some demand looks for.
  struct Sought {
    std::string name;
    std::vector<std::string> signers;
    std::size_t max_delegations;
  };

  void BeginUpdate();
  void EndUpdate();
  std::vector<std::string> RolesHeld() const;
  std::vector<std::string> RolesListed() const;
  void BeginSearches();
  void NextSearch();
  void EndSearch();
  void EndAhead();
  void End();
  void EndWith(RefreshFailure failure);
  void KeepWithinCaps();
  std::optional<NewerAnchors> NewerThanBefore() const;
  Committed Commit() const;

  const RefreshStart start_;
  Caps caps_;
  std::shared_ptr<const Repository> before_;
  Holding holding_;
  Holding began_with_;
  std::vector<Sought> sought_;
  std::size_t searched_ = 0;
  bool updated_ = false;
  std::optional<RefreshFailure> failure_;

  std::optional<Update> update_;
  std::optional<RolesAhead> ahead_;
  std::optional<RoleSearch> search_;
  std::optional<RefreshOutcome> outcome_;
};

/// StoredRepository loads what was committed: every signature is verified again, and what has
/// expired is left to the decision.
class StoredRepository final : public Refresh {
 public:
  explicit StoredRepository(RefreshStart start);

  std::optional<FileRequest> Wanted() const override;
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override { return *std::move(outcome_); }

 private:
  enum class Step : std::uint8_t { kUpdate, kTimestampFloor, kSnapshotFloor, kRoles, kOver };

  void Next();
  void TakeRoles();
  void End();

  const RefreshStart start_;
  Caps caps_;
  Holding holding_;
  std::optional<Update> update_;
  Step step_ = Step::kUpdate;
  std::vector<std::string> roles_;
  std::map<std::string, Verified<Targets>> read_;
  std::size_t next_role_ = 0;
  std::string stored_as_;
  std::optional<RefreshOutcome> outcome_;
};

}  // namespace crivet::trust::tuf1
