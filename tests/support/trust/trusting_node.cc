// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/trusting_node.h"

#include <utility>

namespace crivet::trust {

std::optional<RefreshFailure> TrustingNode::RefreshFrom(SigningRepository& server) {
  MetadataUpdate::Start start = start_;
  start.source = MetadataUpdate::Source::kServer;
  start.previous = trusted_;
  start.floors = floors_;
  start.chain = chain_;
  return Take(RunRefresh(std::move(start), server));
}

std::optional<RefreshFailure> TrustingNode::Restart() {
  trusted_ = nullptr;
  chain_.clear();
  MetadataUpdate::Start start = start_;
  start.source = MetadataUpdate::Source::kStore;
  start.floors = floors_;
  start.verified_at = start.now;
  return Take(RunRefresh(std::move(start),
                         [&](const MetadataRequest& request) { return store_.Fetch(request); }));
}

std::optional<RefreshFailure> TrustingNode::Take(UpdateOutcome outcome) {
  if (outcome) {
    trusted_ = outcome->repository;
    floors_ = trusted_->floors();
    chain_ = trusted_->chain();
    store_.Apply(outcome->files);
    return std::nullopt;
  }
  if (const auto& newer = outcome.error().newer_anchors) {
    trusted_ = RepositoryOf(newer->set);
    floors_ = newer->floors;
    chain_ = ChainOf(*newer);
    store_.Apply(newer->files);
  }
  return outcome.error();
}

std::optional<Sha256Digest> TrustingNode::Lookup(const std::string& role,
                                                 const std::string& tag) const {
  return trusted_ ? trusted_->Lookup(RoleName::Parse(role).value(), tag) : std::nullopt;
}

}  // namespace crivet::trust
