// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trust/decide/refresh.h"
#include "trust/notary/metadata_update.h"

namespace crivet::trust {

/// NotaryRefresh is a MetadataUpdate as the seam wants it: for all demands together, with the names
/// that a server, a folder and the store have for its files.
///
/// A load from the store goes on without roles that the rules have come to read since the set was
/// stored: what is not there takes nothing from those that get by without it.
class NotaryRefresh final : public Refresh {
 public:
  explicit NotaryRefresh(RefreshStart start);

  std::optional<FileRequest> Wanted() const override;
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override;

 private:
  void EndOrBeginAnew();
  bool LeaveOutNewRole(const RefreshFailure& failure);

  const std::vector<std::string> stored_;
  MetadataUpdate::Start start_;
  std::optional<MetadataUpdate> update_;
  std::optional<RefreshOutcome> outcome_;
};

/// How a file of a collection is asked for: the update's own name in all that there are.
FileRequest RequestFor(const std::string& collection, const MetadataRequest& wanted,
                       const std::vector<std::string>& stored);

}  // namespace crivet::trust
