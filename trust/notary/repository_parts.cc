// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/repository_parts.h"

#include <algorithm>
#include <utility>

#include "trust/tuf/age.h"
#include "trust/tuf/root_chain.h"

namespace crivet::trust {
namespace {

// How long the answer of a pin stays what it is now: certificates come and go, all else is fixed.
void BoundByCertificates(const RootPin& pin, const std::vector<RootLink>& chain, TimePoint now,
                         MatchedPin& matched) {
  if (pin.authorities.empty()) return;
  const auto bound = [&](const Certificate& certificate) {
    for (const TimePoint edge :
         {certificate.not_before(), certificate.not_after() + std::chrono::seconds{1}}) {
      if (edge <= now) {
        matched.from = std::max(matched.from, edge);
      } else {
        matched.until = std::min(matched.until, edge);
      }
    }
  };
  for (const Certificate& authority : pin.authorities.certificates()) bound(authority);
  for (const RootLink& link : chain) {
    for (const auto& [id, key] : link.root->KeysOf(RoleName::Root()).keys) {
      for (const Certificate& certificate : key.certificates()) bound(certificate);
    }
  }
}

}  // namespace

std::vector<MatchedPin> MatchPins(const std::vector<RootPin>& pins,
                                  const std::vector<RootLink>& chain, TimePoint now) {
  std::vector<MatchedPin> matched;
  for (const RootPin& pin : pins) {
    MatchedPin answer{pin, MatchChain(pin, chain, now), TimePoint::min(), TimePoint::max(), false};
    BoundByCertificates(pin, chain, now, answer);
    matched.push_back(std::move(answer));
  }
  return matched;
}

Floor FloorOf(std::int64_t version, const Sha256& signed_sha256, const std::set<KeyId>& signers) {
  std::vector<std::string> names = TextsOf(signers);
  return {version, signed_sha256, {names.begin(), names.end()}};
}

Floors RepositoryParts::floors() const {
  Floors all = other_floors;
  const RootLink& newest = chain.back();
  all[RoleName::Root().text()] =
      FloorOf(newest.root->version(), newest.signed_sha256, newest.signers);
  const auto add = [&](const RoleName& role, const auto& file) {
    all[role.text()] = FloorOf(file.metadata->version(), file.signed_sha256, file.signers);
  };
  add(RoleName::Timestamp(), timestamp);
  add(RoleName::Snapshot(), snapshot);
  for (const auto& [role, file] : roles) add(role, file);
  return all;
}

const AuthorizedKeys* RepositoryParts::AuthorizedFor(const RoleName& role) const {
  const auto parent = role.parent();
  if (!parent) return &chain.back().root->KeysOf(role);
  const auto delegator = roles.find(*parent);
  if (delegator == roles.end()) return nullptr;
  const Delegation* delegation = delegator->second.metadata->FindDelegation(role);
  return delegation == nullptr ? nullptr : &delegation->keys;
}

}  // namespace crivet::trust
