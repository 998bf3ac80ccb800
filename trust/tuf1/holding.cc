// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/holding.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
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
  for (const auto& [target, earlier] : holding.earlier_files) {
    visit(StoredEarlierTarget(target, earlier), earlier.file);
  }
}

// Role -> the delegations of `targets` that lead to it; one that nothing leads to is its own.
std::map<std::string, std::set<std::string>> OwnersIn(const Trusted& set) {
  // More of them make no difference to whose share is the smallest, but for as many who conspire.
  constexpr std::size_t kMostOwners = 16;
  std::map<std::string, std::set<std::string>> owners;
  std::vector<std::pair<std::string, std::string>> waiting = {{std::string(kTargets), ""}};
  while (!waiting.empty()) {
    const auto [role, owner] = std::move(waiting.back());
    waiting.pop_back();
    const auto file = set.roles.find(role);
    if (file == set.roles.end()) continue;
    const Sha256& delegator = file->second.sha256;
    const auto& delegations = file->second.content->delegations();
    for (auto to = set.accepted.lower_bound({delegator, ""});
         to != set.accepted.end() && to->first.first == delegator; ++to) {
      const std::string& name = to->first.second;
      std::set<std::string>& of = owners[name];
      std::string whose = role != kTargets ? owner
                          : delegations    ? delegations->NameFor(name)
                                           : name;
      if (of.size() >= kMostOwners || !of.insert(whose).second) continue;
      waiting.emplace_back(name, std::move(whose));
    }
  }
  for (const auto& [role, file] : set.roles) {
    if (owners[role].empty()) owners[role].insert(role);
  }
  return owners;
}

std::size_t BytesOf(const Verified<Targets>& file) {
  return file.bytes->size() + file.content->resident_bytes();
}

/// What lies below one delegation of `targets`.
struct Share {
  std::size_t roles = 0;
  std::size_t bytes = 0;
};

/// Shares are those of all, for choosing whose roles go. Where several delegate to a role it is the
/// burden of whoever has the least: a stranger who delegates to another's role too does not make it
/// one of his.
class Shares {
 public:
  /// `roles` are the delegated ones that the set has, the ones asked for last first.
  Shares(const Trusted& set, const std::vector<std::string>& roles) {
    const std::map<std::string, std::set<std::string>> owners = OwnersIn(set);
    for (const std::string& role : roles) {
      Held one{role, BytesOf(set.roles.find(role)->second)};
      for (const std::string& owner : owners.find(role)->second) {
        Share& share = shares_[owner];
        ++share.roles;
        share.bytes += one.bytes;
        one.of.push_back(&share);
      }
      held_.push_back(std::move(one));
    }
  }

  std::size_t roles() const { return held_.size(); }

  /// The one of the largest share that was asked for longest ago. Precondition: there are some.
  std::string TakeOfTheLargest(std::size_t Share::*measure) {
    const auto least = [measure](const Held& one) {
      std::size_t size = std::numeric_limits<std::size_t>::max();
      for (const Share* const share : one.of) size = std::min(size, share->*measure);
      return size;
    };
    const auto goes =
        std::max_element(held_.rbegin(), held_.rend(),
                         [&](const Held& a, const Held& b) { return least(a) < least(b); });
    for (Share* const share : goes->of) {
      --share->roles;
      share->bytes -= goes->bytes;
    }
    std::string role = std::move(goes->role);
    held_.erase(std::next(goes).base());
    return role;
  }

 private:
  struct Held {
    std::string role;
    std::size_t bytes;
    std::vector<Share*> of = {};
  };
  std::map<std::string, Share> shares_;
  std::vector<Held> held_;
};

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
  if (!has_file || newest.roots.empty()) {
    // Of a chain that nobody pins any more.
    target_files.clear();
    earlier_files.clear();
  }
  if (newest.roots.empty()) {
    newest.timestamp.reset();
    newest.snapshot.reset();
    complete.reset();
    before = nullptr;
  }
  if (complete) complete->roots = newest.roots;
}

void Holding::KeepWithin(std::size_t roles, std::size_t bytes) {
  std::size_t held_bytes = 0;
  std::vector<std::string> names;
  for (const auto& [role, file] : complete->roles) {
    held_bytes += BytesOf(file);
    if (role != kTargets) names.push_back(role);
  }
  if (names.size() <= roles && held_bytes <= bytes) return;
  Shares shares(*complete, uses->InOrder(std::move(names)));
  while (shares.roles() > 0 && (shares.roles() > roles || held_bytes > bytes)) {
    const std::string role =
        shares.TakeOfTheLargest(held_bytes > bytes ? &Share::bytes : &Share::roles);
    const auto file = complete->roles.find(role);
    held_bytes -= BytesOf(file->second);
    complete->roles.erase(file);
    uses->Forget(role);
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
