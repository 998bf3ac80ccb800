// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/refresh.h"
#include "trust/tuf1/repository.h"
#include "trust/tuf1/role_search.h"
#include "trust/tuf1/roles_ahead.h"
#include "trust/tuf1/root_pin.h"
#include "trust/tuf1/target_files.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {

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
  /// A name that some demand looks for; of a digest, the tags that may have it.
  struct Sought {
    std::string name;     ///< empty: digests have none
    std::string tags_of;  ///< what their targets begin with; empty: no digest is looked for
    std::vector<std::string> signers;
    std::size_t max_delegations;
  };

  void BeginUpdate();
  void EndUpdate();
  void EndFiles();
  EarlierFiles EarlierThan(const Update& update, const TargetFiles& files) const;
  std::vector<std::string> RolesHeld() const;
  std::vector<std::string> RolesListed() const;
  void BeginSearches();
  void NextSearch();
  void EndSearch();
  void EndAhead();
  void End();
  void EndWith(RefreshFailure failure);
  /// Whether the chain hangs from nothing but a first contact.
  bool IsOnFirstUse() const;
  std::optional<NewerAnchors> NewerThanBefore() const;
  Committed Commit() const;

  const RefreshStart start_;
  Caps caps_;
  RootPins pins_;
  std::shared_ptr<const Repository> before_;
  Holding holding_;
  Holding began_with_;
  std::vector<Sought> sought_;
  std::size_t searched_ = 0;
  bool updated_ = false;
  std::optional<RefreshFailure> failure_;
  std::optional<RefreshFailure> file_failure_;

  std::optional<Update> update_;
  std::optional<TargetFiles> files_;
  std::optional<RolesAhead> ahead_;
  std::optional<RoleSearch> search_;
  std::optional<RefreshOutcome> outcome_;
};

}  // namespace crivet::trust::tuf1
