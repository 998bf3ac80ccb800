// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/repository.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "trust/base/quoted.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::size_t kLinkBytes = 16 * 1024;
// A page of status names no more of them, and a metric has no more labels.
constexpr std::size_t kShownRoles = 32;
// The roles whose keys a root has, on the way to a target.
constexpr std::array kOnTheWay = {kTimestamp, kSnapshot, kTargets};

std::size_t BytesOf(const Trusted& set) {
  std::size_t bytes = set.roots.size() * kLinkBytes;
  if (set.snapshot) bytes += 4 * set.snapshot->bytes->size();
  for (const auto& [role, file] : set.roles) {
    bytes += file.content->resident_bytes() + file.bytes->size();
  }
  return bytes;
}

std::size_t BytesOfFiles(const Holding& holding) {
  std::size_t bytes = 0;
  for (const auto& [name, file] : holding.target_files) bytes += file.bytes->size();
  for (const auto& [name, earlier] : holding.earlier_files) bytes += earlier.file.bytes->size();
  return bytes;
}

// The file of a target: the listed one, or the one before, which nothing new hangs on once a newer
// root has taken a key away from those that may have signed on its way.
std::optional<PublishedFile> TargetFileOf(const Holding& holding, const std::string& target) {
  const auto listed = holding.target_files.find(target);
  if (listed != holding.target_files.end()) return listed->second;
  const auto earlier = holding.earlier_files.find(target);
  if (earlier == holding.earlier_files.end()) return std::nullopt;
  PublishedFile file = earlier->second.file;
  const auto& roots = holding.newest.roots;
  const auto hung_from = std::find_if(roots.begin(), roots.end(), [&](const auto& root) {
    return root.content->version() == earlier->second.root;
  });
  // Which of them signed is not known any more: where any key is gone, it may have been that one.
  const bool has_all_keys =
      hung_from != roots.end() &&
      std::all_of(kOnTheWay.begin(), kOnTheWay.end(), [&](std::string_view role) {
        return holding.newest.root().KeysOf(role).StillBinds(
            hung_from->content->KeysOf(role).Spkis());
      });
  if (!has_all_keys) file.until = TimePoint{};
  return file;
}

std::pair<std::int64_t, TimePoint> VersionAndExpiry(const auto& metadata) {
  return {metadata.version(), metadata.expires()};
}

Caps CapsOf(const TufDemand& demand) {
  Caps caps;
  caps.delegations = demand.trust->max_delegations;
  return caps;
}

}  // namespace

Repository::Repository(CollectionId id, Holding holding)
    : id_(std::move(id)),
      holding_(std::move(holding)),
      uncovered_(holding_.Uncovered()),
      floors_(holding_.FloorsNow()),
      resident_bytes_(BytesOf(complete()) + (holding_.before ? BytesOf(*holding_.before) : 0) +
                      BytesOfFiles(holding_)) {}

bool Repository::IsAnchored(const TufDemand& demand) const {
  return MatchChain(demand.trust->pin, holding_.newest.roots).has_value();
}

Search::Outcome Repository::Look(const Trusted& set, const Search::Question& question,
                                 const TufDemand& demand) const {
  return Find(set, question, CapsOf(demand));
}

TagRoles Repository::RolesOfTags(const Trusted& set, std::string_view prefix, TimePoint now,
                                 const TufDemand& demand) const {
  return FindTagRoles(set, prefix, Expiry::kEnforced, now, CapsOf(demand));
}

std::shared_ptr<const Anchors> Repository::anchors() const {
  Holding kept = holding_;
  kept.complete.reset();
  kept.before.reset();
  return std::make_shared<const TufAnchors>(std::move(kept));
}

std::optional<TimePoint> Repository::Expires(const Demands& /*demands*/) const {
  TimePoint earliest =
      std::min({holding_.newest.root().expires(), complete().timestamp->content->expires(),
                complete().snapshot->content->expires()});
  const auto targets = complete().roles.find(kTargets);
  if (targets != complete().roles.end()) {
    earliest = std::min(earliest, targets->second.content->expires());
  }
  return earliest;
}

std::optional<PublishedFile> Repository::FileOf(const std::string& name,
                                                const Demand& demand) const {
  // Others may have made the chain begin elsewhere, and believe what this one does not.
  if (!IsAnchored(AsTuf(demand))) return std::nullopt;
  std::optional<PublishedFile> file = TargetFileOf(holding_, name);
  // A newer root acts at once: what its keys no longer cover vouches for nothing new.
  if (file && !uncovered_.empty()) file->until = TimePoint{};
  return file;
}

SetStatus Repository::Status(const Demands& demands, TimePoint /*now*/) const {
  SetStatus status;
  status.files[std::string(kRoot)] = VersionAndExpiry(holding_.newest.root());
  status.files[std::string(kTimestamp)] = VersionAndExpiry(*complete().timestamp->content);
  status.files[std::string(kSnapshot)] = VersionAndExpiry(*complete().snapshot->content);
  for (const auto& [role, file] : complete().roles) {
    if (status.files.size() < kShownRoles || role == kTargets) {
      status.files[Quoted(role)] = VersionAndExpiry(*file.content);
    }
  }
  status.expires = Expires(demands);
  return status;
}

SetExplanation Repository::Explain(const ImageReference& reference, const Demand& demand,
                                   TimePoint now) const {
  const TufDemand& wanted = AsTuf(demand);
  SetExplanation explanation;
  const auto& roots = holding_.newest.roots;
  for (const Verified<Root>& root : roots) {
    explanation.chain.push_back(
        {root.content->version(), root.content->expires(), TextsOf(root.signers)});
  }
  const RootPin& pin = wanted.trust->pin;
  const auto version_of = [&](const auto& is_it) {
    const auto at = std::find_if(roots.begin(), roots.end(), is_it);
    return at == roots.end() ? std::nullopt : std::optional(at->content->version());
  };
  if (pin.file) {
    explanation.pinned.push_back({"root_file", version_of([&](const Verified<Root>& root) {
                                    return root.signed_sha256 == pin.file->signed_sha256;
                                  })});
  }
  for (const Sha256& id : pin.key_ids) {
    explanation.pinned.push_back(
        {ToHex(id), version_of([&](const auto& root) { return IsSignedBy(root, id); })});
  }
  explanation.anchored_at = MatchChain(pin, roots);
  explanation.pin_is_newest = explanation.anchored_at && (pin.tofu || Matches(pin, roots.back()));
  const std::optional<std::string> name = wanted.NameOf(reference);
  if (!name || !uncovered_.empty()) return explanation;
  const auto outcome = Look(complete(), {.name = *name, .now = now}, wanted);
  if (const auto* found = std::get_if<Search::Found>(&outcome)) {
    const TargetEntry& entry = *found->hits.front().entry;
    explanation.entry_is_unusable = entry.fault || !entry.hashes.sha256;
  }
  return explanation;
}

}  // namespace crivet::trust::tuf1
