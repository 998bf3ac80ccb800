// SPDX-License-Identifier: Apache-2.0

// How a refresh ends: what becomes of a set that verified whole, and of roots that verified before
// the rest failed.

#include <algorithm>
#include <utility>

#include "trust/notary/metadata_update.h"
#include "trust/tuf/root_chain.h"

namespace crivet::trust {

bool MetadataUpdate::WasSearched(const RootPin& pin) const {
  return previous() &&
         std::any_of(previous()->pins.begin(), previous()->pins.end(),
                     [&](const MatchedPin& known) { return known.searched && known.pin == pin; });
}

// A pin that came after the first contact, or whose link could not be had then, gets its chance
// too. Where the server has nothing for it, it is not asked again.
bool MetadataUpdate::APinWantsOlderRoots() const {
  if (start_.source == Source::kStore || chain_.front().root->version() == 1) return false;
  return std::any_of(start_.pins.begin(), start_.pins.end(), [&](const RootPin& pin) {
    return !MatchChain(pin, chain_, start_.now) && !WasSearched(pin);
  });
}

std::vector<MatchedPin> MetadataUpdate::MatchedPins() const {
  std::vector<MatchedPin> pins = MatchPins(start_.pins, chain_, start_.now);
  for (MatchedPin& matched : pins) {
    matched.searched = !matched.match && (searched_ || WasSearched(matched.pin));
  }
  return pins;
}

bool MetadataUpdate::IsUnchanged(const Sha256& timestamp) const {
  return previous() && timestamp == previous()->timestamp.listed.sha256 &&
         previous()->snapshot.metadata->Find(RoleName::Root())->sha256 == chain_.back().sha256 &&
         std::includes(previous()->roles_read.begin(), previous()->roles_read.end(),
                       roles_wanted_.begin(), roles_wanted_.end());
}

void MetadataUpdate::CommitUnchanged() {
  const auto check = [&](const RoleName& role, const auto& metadata) {
    const auto checked = CheckExpiry(role, metadata);
    if (!checked) End(role, checked.error());
    return checked.has_value();
  };
  if (!check(RoleName::Timestamp(), *previous()->timestamp.metadata) ||
      !check(RoleName::Snapshot(), *previous()->snapshot.metadata)) {
    return;
  }
  for (const RoleName& role : roles_wanted_) {
    const auto file = previous()->roles.find(role);
    if (file != previous()->roles.end() && !check(role, *file->second.metadata)) return;
  }
  timestamp_ = previous()->timestamp;
  snapshot_ = previous()->snapshot;
  roles_ = previous()->roles;
  RepositoryParts parts = *previous();
  parts.chain = chain_;
  parts.verified_at = start_.now;
  parts.pins = MatchedPins();
  // Older links that a pin asked for are stored with the rest.
  const bool longer = chain_.front().root->version() < previous()->chain.front().root->version();
  outcome_ = Committed{std::make_shared<const Repository>(std::move(parts)), TakeFiles(), longer};
}

void MetadataUpdate::Commit() {
  const bool from_store = start_.source == Source::kStore;
  RepositoryParts parts{.id = start_.id,
                        .chain = chain_,
                        .timestamp = timestamp_,
                        .snapshot = snapshot_,
                        .roles = roles_,
                        .roles_read = roles_wanted_,
                        .other_floors = OtherFloors(),
                        .verified_at = from_store ? start_.verified_at : start_.now,
                        .pins = MatchedPins()};
  outcome_ = Committed{std::make_shared<const Repository>(std::move(parts)), TakeFiles(), true};
}

Floor MetadataUpdate::RootFloor() const {
  return FloorOf(root().version(), chain_.back().signed_sha256, chain_.back().signers);
}

Floors MetadataUpdate::OtherFloors() const {
  Floors kept;
  // A floor goes with its delegation. In the order of names a parent comes before its children.
  for (const auto& [name, floor] : floors_) {
    const Result<RoleName> role = RoleName::Parse(name);
    if (!role) continue;
    const auto parent = role->parent();
    const auto delegator = parent ? roles_.find(*parent) : roles_.end();
    const bool gone = (delegator != roles_.end() &&
                       delegator->second.metadata->FindDelegation(*role) == nullptr) ||
                      (parent && !kept.contains(parent->text()));
    if (!gone) kept.emplace(name, floor);
  }
  // What the set holds says its own.
  for (const RoleName& role : {RoleName::Root(), RoleName::Timestamp(), RoleName::Snapshot()}) {
    kept.erase(role.text());
  }
  for (const auto& [role, file] : roles_) kept.erase(role.text());
  return kept;
}

std::vector<StoredFile> MetadataUpdate::TakeFiles() {
  std::vector<StoredFile> files = read_.TakeChain(chain_);
  files.push_back(read_.Take(RoleName::Timestamp().text(), timestamp_.listed.sha256));
  files.push_back(read_.Take(RoleName::Snapshot().text(), snapshot_.listed.sha256));
  for (const auto& [role, file] : roles_) {
    files.push_back(read_.Take(role.text(), file.listed.sha256));
  }
  return files;
}

std::optional<NewerAnchors> MetadataUpdate::RootsToReport() {
  // At first contact nothing is kept of a set that did not verify whole: least of all an anchor
  // that was trusted on first use. What the store holds was trusted before.
  const std::vector<RootLink>& before = previous() ? previous()->chain : start_.chain;
  const bool had_roots = !before.empty() || start_.source == Source::kStore;
  if (!had_roots || chain_.empty()) return std::nullopt;
  if (!before.empty() && before.back().sha256 == chain_.back().sha256) return std::nullopt;

  NewerAnchors newer;
  newer.anchors = std::make_shared<const RootChain>(chain_);
  newer.floors = floors_;
  newer.floors[RoleName::Root().text()] = RootFloor();
  newer.files = read_.TakeChain(chain_);
  if (previous()) {
    RepositoryParts parts = *previous();
    parts.chain = chain_;
    parts.pins = MatchedPins();
    newer.set = std::make_shared<const Repository>(std::move(parts));
  }
  return newer;
}

}  // namespace crivet::trust
