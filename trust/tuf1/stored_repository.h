// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "trust/decide/refresh.h"
#include "trust/tuf1/repository.h"
#include "trust/tuf1/roles_ahead.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {

/// StoredRepository loads what was committed: every signature is verified again, and what has
/// expired is left to the decision.
class StoredRepository final : public Refresh {
 public:
  explicit StoredRepository(RefreshStart start);

  std::optional<FileRequest> Wanted() const override;
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override { return *std::move(outcome_); }

 private:
  enum class Step : std::uint8_t {
    kUpdate,
    kTimestampFloor,
    kSnapshotFloor,
    kRoles,
    kFiles,
    kOver
  };

  void Next();
  void SupplyFile(std::string content);
  void BeginRoles();
  void BeginFiles();
  void TakeFiles();
  void End();

  const RefreshStart start_;
  Caps caps_;
  Holding holding_;
  std::optional<Update> update_;
  Step step_ = Step::kUpdate;
  std::optional<RolesAhead> roles_;
  std::vector<std::string> stored_files_;  ///< that are still to be read, as they are stored
  TargetFilesHeld files_;
  EarlierFiles earlier_files_;
  std::string stored_as_;
  std::optional<RefreshOutcome> outcome_;
};

}  // namespace crivet::trust::tuf1
