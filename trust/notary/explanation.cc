// SPDX-License-Identifier: Apache-2.0
// What a Notary v1 collection says of itself, for people: the rest of Repository.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trust/notary/notary_demand.h"
#include "trust/notary/repository.h"
#include "trust/notary/repository_parts.h"
#include "trust/signed/authorized_keys.h"
#include "trust/tuf/age.h"

namespace crivet::trust {
namespace {

std::vector<RoleName> RolesReadBy(const Demands& demands) {
  std::set<RoleName> roles;
  for (const SharedDemand& demand : demands) {
    for (RoleName& role : AsNotary(*demand).RolesRead()) roles.insert(std::move(role));
  }
  return {roles.begin(), roles.end()};
}

std::pair<std::int64_t, TimePoint> VersionAndExpiry(const auto& metadata) {
  return {metadata.version(), metadata.expires()};
}

// The version of the first root that a key signed and so anchors.
std::optional<std::int64_t> AnchoredBy(const KeyId& id, const Repository& repository,
                                       TimePoint now) {
  RootPin one;
  one.key_ids = {id};
  const auto match = repository.Match(one, now);
  if (!match) return std::nullopt;
  return repository.chain()[match->link].root->version();
}

// The roles that could have been meant: those that the role's parent delegates to.
std::string DelegatedBeside(const RoleName& role, const Repository& repository) {
  const auto parent = role.parent();
  const Targets* targets = parent ? repository.Find(*parent) : nullptr;
  std::string names;
  if (targets == nullptr) return names;
  for (const Delegation& delegation : targets->delegations()) {
    names += (names.empty() ? "" : ", ") + delegation.name.text();
  }
  return names;
}

bool IsDelegated(const SignedPart& part) { return part.threshold > 0; }

}  // namespace

std::optional<TimePoint> Repository::Expires(const Demands& demands) const {
  return ExpiresWith(RolesReadBy(demands));
}

std::optional<std::string> Repository::PinInstead() const {
  const std::set<KeyId>& signers = chain().back().signers;
  if (signers.empty()) return std::nullopt;
  const auto& keys = root().KeysOf(RoleName::Root()).keys;
  const auto key = keys.find(*signers.begin());
  if (key == keys.end()) return std::nullopt;
  return key->second.canonical_id().ToString();
}

SetStatus Repository::Status(const Demands& demands, TimePoint now) const {
  SetStatus status;
  status.files["root"] = VersionAndExpiry(root());
  status.files["timestamp"] = VersionAndExpiry(timestamp());
  status.files["snapshot"] = VersionAndExpiry(snapshot());
  for (const RoleName& role : roles_read()) {
    if (const Targets* targets = Find(role)) status.files[role.text()] = VersionAndExpiry(*targets);
  }
  status.renewed_by_server = "timestamp";
  status.expires = Expires(demands);
  const bool outdated = std::any_of(demands.begin(), demands.end(), [&](const auto& demand) {
    const std::optional<PinMatch> match = Match(AsNotary(*demand).root, now);
    return match && !match->newest;
  });
  if (outdated) status.pin_instead = PinInstead();
  return status;
}

SetExplanation Repository::Explain(const ImageReference& reference, const Demand& demand,
                                   TimePoint now) const {
  const NotaryDemand& wanted = AsNotary(demand);
  SetExplanation explanation;
  for (const RootLink& link : chain()) {
    explanation.chain.push_back(
        {link.root->version(), link.root->expires(), TextsOf(link.signers)});
  }
  for (const KeyId& id : wanted.root.key_ids) {
    explanation.pinned.push_back({id.ToString(), AnchoredBy(id, *this, now)});
  }
  if (const auto match = Match(wanted.root, now)) {
    explanation.anchored_at = match->link;
    explanation.pin_is_newest = match->newest;
  }
  for (const RoleName& role : wanted.RolesRead()) {
    const std::shared_ptr<const SignedPart> part = PartOf(role);
    if (part->version != 0 || IsDelegated(*part)) continue;
    const std::string others = DelegatedBeside(role, *this);
    explanation.notes[role.text()] =
        "no such delegation; there " + (others.empty() ? "is none" : "are " + others);
  }
  const std::string_view tag = reference.tag() ? std::string_view(*reference.tag()) : "";
  explanation.entry_is_unusable =
      !tag.empty() && std::any_of(wanted.roles.begin(), wanted.roles.end(),
                                  [&](const RoleName& role) { return FaultOf(role, tag); });
  return explanation;
}

}  // namespace crivet::trust
