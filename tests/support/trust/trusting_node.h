// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "tests/support/trust/signing_repository.h"
#include "trust/notary/metadata_update.h"

namespace crivet::trust {

/// TrustingNode does with refreshes what the service does, and nothing more: it keeps what was
/// committed, in memory and in a store, takes over newer roots from a refresh that failed, and
/// loads its store when it is restarted.
class TrustingNode {
 public:
  /// `start` gives collection, pins, roles, time and limits; the rest is filled in.
  explicit TrustingNode(MetadataUpdate::Start start) : start_(std::move(start)) {}

  /// One refresh from the server; the failure where it failed.
  std::optional<RefreshFailure> RefreshFrom(SigningRepository& server);

  /// Forgets what is in memory and loads the store; the failure where that brought nothing.
  std::optional<RefreshFailure> Restart();

  /// Null where nothing is trusted.
  const std::shared_ptr<const Repository>& trusted() const { return trusted_; }
  /// The digest that the trusted set gives a tag.
  std::optional<Sha256Digest> Lookup(const std::string& role, const std::string& tag) const;

  MetadataUpdate::Start& start() { return start_; }
  StoredFiles& store() { return store_; }
  const Floors& floors() const { return floors_; }

 private:
  std::optional<RefreshFailure> Take(UpdateOutcome outcome);

  MetadataUpdate::Start start_;
  std::shared_ptr<const Repository> trusted_;
  /// As the store keeps them.
  Floors floors_;
  std::vector<RootLink> chain_;
  StoredFiles store_;
};

}  // namespace crivet::trust
