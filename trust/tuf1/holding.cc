// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/holding.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "trust/base/percent_encoding.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kRolePrefix = "role:";
constexpr std::string_view kRootEnding = ".root";
// So many of them as roles are held fit into a manifest.
constexpr std::size_t kMaxStoredName = 96;

std::set<std::string> SetOf(const std::set<Sha256>& keys) {
  const std::vector<std::string> texts = TextsOf(keys);
  return {texts.begin(), texts.end()};
}

// With its bytes, unless the store has them under that name.
StoredFile FileOf(std::string name, const auto& file, const std::map<std::string, Sha256>& stored) {
  StoredFile one{std::move(name), file.sha256, std::nullopt};
  const auto known = stored.find(one.name);
  if (known == stored.end() || known->second != file.sha256) one.bytes = *file.bytes;
  return one;
}

void VisitAnchors(const Holding& holding, const auto& visit) {
  for (const Verified<Root>& root : holding.newest.roots) {
    visit(StoredRoot(root.content->version()), root);
  }
  if (holding.newest.timestamp) visit(std::string(kNewestTimestamp), *holding.newest.timestamp);
  if (holding.newest.snapshot) visit(std::string(kNewestSnapshot), *holding.newest.snapshot);
}

// Precondition: there is a complete set.
void VisitAll(const Holding& holding, const auto& visit) {
  VisitAnchors(holding, visit);
  visit(std::string(kTimestamp), *holding.complete->timestamp);
  visit(std::string(kSnapshot), *holding.complete->snapshot);
  for (const auto& [role, file] : holding.complete->roles) {
    if (auto name = StoredRole(role)) visit(*std::move(name), file);
  }
  for (const auto& [target, file] : holding.target_files) visit(StoredTarget(target), file);
}

// Role -> the delegation of `targets` that leads to it; one that nothing leads to is its own.
std::map<std::string, std::string> OwnersIn(const Trusted& set) {
  std::map<Sha256, std::string> names;
  for (const auto& [role, file] : set.roles) names.emplace(file.sha256, role);
  std::multimap<std::string, std::string> delegates_to;
  for (const auto& [delegation, acceptance] : set.accepted) {
    const auto delegator = names.find(delegation.first);
    if (delegator != names.end()) delegates_to.emplace(delegator->second, delegation.second);
  }
  std::map<std::string, std::string> owners;
  std::vector<std::string> waiting = {std::string(kTargets)};
  while (!waiting.empty()) {
    const std::string role = std::move(waiting.back());
    waiting.pop_back();
    const auto [begin, end] = delegates_to.equal_range(role);
    for (auto to = begin; to != end; ++to) {
      const auto& delegations = set.roles.find(role)->second.content->delegations();
      const std::string owner = role != kTargets ? owners.find(role)->second
                                : delegations    ? delegations->NameFor(to->second)
                                                 : to->second;
      if (owners.emplace(to->second, owner).second) waiting.push_back(to->second);
    }
  }
  for (const auto& [role, file] : set.roles) owners.emplace(role, role);
  return owners;
}

template <typename T>
bool Same(const std::optional<Verified<T>>& a, const std::optional<Verified<T>>& b) {
  return a.has_value() == b.has_value() && (!a || *a == *b);
}

}  // namespace

std::vector<std::string> TextsOf(const std::set<Sha256>& keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const Sha256& key : keys) texts.push_back(ToHex(key));
  return texts;
}

void RoleUses::Touch(const std::vector<std::string>& roles) {
  const std::lock_guard lock(mutex_);
  ++now_;
  for (const std::string& role : roles) last_[role] = now_;
  // Names of roles that nobody has any more stay behind.
  if (last_.size() <= kMost) return;
  std::vector<std::uint64_t> uses;
  for (const auto& [role, used] : last_) uses.push_back(used);
  const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
  std::nth_element(uses.begin(), middle, uses.end());
  std::erase_if(last_, [&](const auto& use) { return use.second < *middle; });
}

std::vector<std::string> RoleUses::InOrder(std::vector<std::string> roles) const {
  const std::lock_guard lock(mutex_);
  const auto last = [this](const std::string& role) {
    const auto used = last_.find(role);
    return used == last_.end() ? 0 : used->second;
  };
  std::stable_sort(roles.begin(), roles.end(),
                   [&](const auto& a, const auto& b) { return last(a) > last(b); });
  return roles;
}

void RoleUses::Forget(const std::string& role) {
  const std::lock_guard lock(mutex_);
  last_.erase(role);
}

std::string StoredRoot(std::int64_t version) {
  return std::to_string(version) + std::string(kRootEnding);
}

std::optional<std::int64_t> StoredRootVersion(std::string_view stored_as) {
  std::int64_t version = 0;
  const auto parsed =
      std::from_chars(stored_as.data(), stored_as.data() + stored_as.size(), version);
  const bool whole =
      parsed.ec == std::errc() && version > 0 &&
      std::string_view(parsed.ptr, static_cast<std::size_t>(stored_as.data() + stored_as.size() -
                                                            parsed.ptr)) == kRootEnding;
  return whole ? std::optional(version) : std::nullopt;
}

std::optional<std::string> StoredRole(std::string_view role) {
  if (role == kTargets) return std::string(role);
  const std::string encoded = PercentEncoded(role);
  if (encoded.size() > kMaxStoredName) return std::nullopt;
  return std::string(kRolePrefix) + encoded;
}

std::optional<std::string> RoleStoredAs(std::string_view stored_as) {
  if (!stored_as.starts_with(kRolePrefix)) return std::nullopt;
  stored_as.remove_prefix(kRolePrefix.size());
  std::string role;
  while (!stored_as.empty()) {
    const bool encoded = stored_as.front() == '%';
    const std::size_t size = encoded ? 3 : 1;
    if (stored_as.size() < size) return std::nullopt;
    unsigned byte = static_cast<unsigned char>(stored_as.front());
    if (encoded) {
      const auto parsed = std::from_chars(stored_as.data() + 1, stored_as.data() + 3, byte, 16);
      if (parsed.ec != std::errc() || parsed.ptr != stored_as.data() + 3) return std::nullopt;
    }
    role += static_cast<char>(byte);
    stored_as.remove_prefix(size);
  }
  return role;
}

bool IsStoredAnchor(std::string_view stored_as) {
  return StoredRootVersion(stored_as) || stored_as == kNewestTimestamp ||
         stored_as == kNewestSnapshot;
}

Update::Least LeastOf(const Floors& floors) {
  Update::Least least;
  const auto version = [&](std::string_view name) {
    const auto floor = floors.find(std::string(name));
    return floor == floors.end() ? 0 : floor->second.version;
  };
  least.root = version(kRoot);
  least.timestamp = version(kTimestamp);
  least.snapshot = version(kSnapshot);
  const auto timestamp = floors.find(std::string(kTimestamp));
  if (timestamp == floors.end()) return least;
  for (const std::string& signer : timestamp->second.signers) {
    if (const auto key = Sha256FromHex(signer)) least.signers.insert(*key);
  }
  return least;
}

Floors Holding::FloorsNow() const {
  Floors floors;
  const Verified<Root>& root = newest.roots.back();
  floors[std::string(kRoot)] = {std::max(least.root, root.content->version()), root.signed_sha256,
                                SetOf(root.signers)};
  Floor timestamp{least.timestamp, {}, SetOf(least.signers)};
  Floor snapshot{least.snapshot, {}, SetOf(least.signers)};
  if (newest.timestamp && newest.timestamp->content->version() >= least.timestamp) {
    const Verified<Timestamp>& file = *newest.timestamp;
    timestamp = {file.content->version(), file.signed_sha256, SetOf(file.signers)};
    snapshot = {
        std::max(least.snapshot, file.content->snapshot().version), {}, SetOf(file.signers)};
  }
  if (timestamp.version > 0) floors[std::string(kTimestamp)] = std::move(timestamp);
  if (snapshot.version > 0) floors[std::string(kSnapshot)] = std::move(snapshot);
  return floors;
}

Update::Start Holding::Begin() const {
  Update::Start start{.trusted = newest, .least = least};
  if (complete) {
    start.trusted.roles = complete->roles;
    start.trusted.accepted = complete->accepted;
    // A snapshot of an attempt that failed may list other files than those of the complete set.
    if (start.trusted.snapshot) start.trusted.HoldAgainstSnapshot();
  }
  return start;
}

void Holding::Take(const Update& update, Went went) {
  const Trusted& verified = update.trusted();
  // Nothing that a pin names was met.
  if (verified.roots.empty()) return;
  newest = verified;
  newest.roles.clear();
  newest.accepted.clear();
  least = update.least();
  least.root = std::max(least.root, newest.root().version());
  if (newest.timestamp) {
    least.timestamp = std::max(least.timestamp, newest.timestamp->content->version());
    least.snapshot = std::max(least.snapshot, newest.timestamp->content->snapshot().version);
    least.signers = newest.timestamp->signers;
  }
  if (went == Went::kThrough) {
    complete = verified;
    return;
  }
  if (!complete) return;
  complete->roots = newest.roots;
  // Its size was looked at when it came.
  Caps caps;
  caps.targets_bytes = Limits::kLargestTargetsBytes;
  AcceptKnown(*complete,
              {std::string(kTargets), &newest.root().KeysOf(kTargets), newest.roots.back().sha256},
              caps);
}

void Holding::AnchorAt(const RootPins& pins) {
  std::vector<Verified<Root>> chain = Anchored(newest.roots, pins);
  const Verified<Root>* const file = OldestFile(pins);
  const bool has_file =
      file == nullptr || std::any_of(chain.begin(), chain.end(), [&](const auto& root) {
        return root.signed_sha256 == file->signed_sha256;
      });
  if (!has_file) chain = {*file};
  newest.roots = std::move(chain);
  if (newest.roots.empty()) {
    newest.timestamp.reset();
    newest.snapshot.reset();
    complete.reset();
    before = nullptr;
  }
  if (complete) complete->roots = newest.roots;
}

void Holding::KeepWithin(std::size_t roles, std::size_t bytes) {
  const auto bytes_of = [](const Verified<Targets>& file) {
    return file.bytes->size() + file.content->resident_bytes();
  };
  std::size_t held_bytes = 0;
  std::vector<std::string> held;
  for (const auto& [role, file] : complete->roles) {
    held_bytes += bytes_of(file);
    if (role != kTargets) held.push_back(role);
  }
  if (held.size() <= roles && held_bytes <= bytes) return;
  held = uses->InOrder(std::move(held));
  const std::map<std::string, std::string> owners = OwnersIn(*complete);
  struct Share {
    std::size_t roles = 0;
    std::size_t bytes = 0;
  };
  std::map<std::string_view, Share> shares;
  for (const std::string& role : held) {
    Share& share = shares[owners.find(role)->second];
    ++share.roles;
    share.bytes += bytes_of(complete->roles.find(role)->second);
  }
  while (!held.empty() && (held.size() > roles || held_bytes > bytes)) {
    const auto share_of = [&](const std::string& role) {
      const Share& share = shares[owners.find(role)->second];
      return held_bytes > bytes ? share.bytes : share.roles;
    };
    // Of equal ones the last: it was asked for longest ago.
    const auto goes =
        std::max_element(held.rbegin(), held.rend(),
                         [&](const auto& a, const auto& b) { return share_of(a) < share_of(b); });
    const auto file = complete->roles.find(*goes);
    Share& share = shares[owners.find(*goes)->second];
    --share.roles;
    share.bytes -= bytes_of(file->second);
    held_bytes -= bytes_of(file->second);
    complete->roles.erase(file);
    uses->Forget(*goes);
    held.erase(std::next(goes).base());
  }
  complete->Prune();
}

std::string Holding::Uncovered() const {
  const Root& root = newest.root();
  if (!complete->timestamp || !root.KeysOf(kTimestamp).StillBinds(complete->timestamp->signers)) {
    return std::string(kTimestamp);
  }
  if (!complete->snapshot || !root.KeysOf(kSnapshot).StillBinds(complete->snapshot->signers)) {
    return std::string(kSnapshot);
  }
  return complete->IsComplete() ? "" : std::string(kTargets);
}

bool Holding::SameAnchors(const Holding& other) const {
  return newest.roots == other.newest.roots && Same(newest.timestamp, other.newest.timestamp) &&
         Same(newest.snapshot, other.newest.snapshot);
}

std::vector<StoredFile> Holding::AnchorFiles() const {
  std::vector<StoredFile> files;
  VisitAnchors(*this, [&](std::string name, const auto& file) {
    files.push_back(FileOf(std::move(name), file, stored));
  });
  return files;
}

std::vector<StoredFile> Holding::Files() const {
  std::vector<StoredFile> files;
  VisitAll(*this, [&](std::string name, const auto& file) {
    files.push_back(FileOf(std::move(name), file, stored));
  });
  return files;
}

void Holding::NoteAllStored() {
  stored.clear();
  const auto note = [this](std::string name, const auto& file) {
    stored.insert_or_assign(std::move(name), file.sha256);
  };
  complete ? VisitAll(*this, note) : VisitAnchors(*this, note);
}

}  // namespace crivet::trust::tuf1
