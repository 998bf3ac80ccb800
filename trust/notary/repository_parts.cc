// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/repository_parts.h"

#include <algorithm>
#include <utility>

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

const AuthorizedKeys* RepositoryParts::AuthorizedFor(const RoleName& role) const {
  const auto parent = role.parent();
  if (!parent) return &chain.back().root->KeysOf(role);
  const auto delegator = roles.find(*parent);
  if (delegator == roles.end()) return nullptr;
  const Delegation* delegation = delegator->second.metadata->FindDelegation(role);
  return delegation == nullptr ? nullptr : &delegation->keys;
}

}  // namespace crivet::trust
