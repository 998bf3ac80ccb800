// SPDX-License-Identifier: Apache-2.0
// What records of a repository of TUF 1.0 are worth: Repository::StandingOf and RecordsAfter.

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trust/base/limits.h"
#include "trust/base/percent_encoding.h"
#include "trust/decide/record_room.h"
#include "trust/tuf1/repository.h"

namespace crivet::trust::tuf1 {
namespace {

// Nothing of a hostile name can look like another line.
std::string LineOf(const std::vector<std::string>& way) {
  std::string line;
  for (const std::string& role : way) line += (line.empty() ? "" : ">") + PercentEncoded(role);
  return line;
}

// The keys that a role has through a delegator today, out of the newest files that are here.
const RoleKeys* KeysThrough(const Repository& repository, const std::string* delegator,
                            const std::string& role) {
  if (delegator == nullptr) {
    return role == kTargets ? &repository.holding().newest.root().KeysOf(kTargets) : nullptr;
  }
  const auto& roles = repository.complete().roles;
  const auto file = roles.find(*delegator);
  if (file == roles.end() || file->second.signers.empty()) return nullptr;
  const auto& delegations = file->second.content->delegations();
  return delegations ? delegations->KeysOf(role) : nullptr;
}

bool StillBinds(const RoleKeys& keys, const std::vector<std::string>& signers) {
  std::set<Sha256> spkis;
  for (const std::string& signer : signers) {
    const auto spki = Sha256FromHex(signer);
    if (!spki) return false;
    spkis.insert(*spki);
  }
  return keys.StillBinds(spkis);
}

// Whether every key that signed along the way still has its role there.
bool WayHolds(const Repository& repository, const VerifiedRecord& record,
              const std::vector<std::string>& way) {
  const std::string* delegator = nullptr;
  for (const std::string& role : way) {
    const auto vouched = record.vouching.find(role);
    const RoleKeys* const keys = KeysThrough(repository, delegator, role);
    if (vouched == record.vouching.end() || keys == nullptr) return false;
    if (!StillBinds(*keys, vouched->second)) return false;
    delegator = &role;
  }
  return !way.empty();
}

bool EndsIn(const std::vector<std::vector<std::string>>& ways, const std::string& role) {
  return std::any_of(ways.begin(), ways.end(),
                     [&](const auto& way) { return !way.empty() && way.back() == role; });
}

// Whether it hangs from a root of the chain, from that place on.
bool HasRoot(const Repository& repository, const VerifiedRecord& record, std::size_t from) {
  const auto& roots = repository.holding().newest.roots;
  return std::any_of(
      roots.begin() + static_cast<std::ptrdiff_t>(from), roots.end(),
      [&](const Verified<Root>& root) { return root.signed_sha256 == record.anchor; });
}

// What the complete set says of a name, whatever has expired.
Search::Outcome Lookup(const Repository& repository, const std::string& target,
                       const std::vector<std::string>& signers, MatchWork& work) {
  const Search::Question question{
      .name = target, .now = {}, .expiry = Expiry::kIgnored, .signers = signers, .work = &work};
  Caps caps;
  caps.delegations = Delegations::kMaxRoles;
  return Find(repository.complete(), question, caps);
}

std::string TargetOf(const VerifiedRecord& record) {
  return record.name.substr(0, record.name.find('\n'));
}

}  // namespace

std::string RecordName::Text() const {
  std::string text = target;
  for (const auto& way : ways) text += "\n" + LineOf(way);
  return text;
}

std::optional<RecordName> RecordName::Parse(std::string_view text) {
  RecordName name;
  const auto next = [&text](char end) {
    const std::size_t at = text.find(end);
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
  };
  name.target = next('\n');
  while (!text.empty()) {
    std::string_view line = next('\n');
    std::vector<std::string> way;
    while (!line.empty()) {
      const std::size_t at = line.find('>');
      auto role = RoleStoredAs("role:" + std::string(line.substr(0, at)));
      if (!role) return std::nullopt;
      way.push_back(*std::move(role));
      line.remove_prefix(at == std::string_view::npos ? line.size() : at + 1);
    }
    if (way.empty()) return std::nullopt;
    name.ways.push_back(std::move(way));
  }
  if (name.target.empty() || name.ways.empty()) return std::nullopt;
  return name;
}

bool Repository::IsOf(const VerifiedRecord& record, const ImageReference& reference,
                      const Demand& demand) const {
  const TufDemand& wanted = AsTuf(demand);
  const std::string_view target = std::string_view(record.name).substr(0, record.name.find('\n'));
  if (!record.tag.empty()) return target == wanted.NameOfTag(reference, record.tag);
  return wanted.digest_target &&
         target == wanted.digest_target->For(reference, record.digest.ToString());
}

Standing Repository::StandingOf(const VerifiedRecord& record, const Demand& demand,
                                TimePoint /*now*/) const {
  const TufDemand& wanted = AsTuf(demand);
  const auto anchored_at = MatchChain(wanted.trust->pin, holding_.newest.roots);
  if (!anchored_at) return Standing::kNotAccepted;
  if (IsWithdrawn(record)) return Standing::kWithdrawn;
  const std::optional<RecordName> name = RecordName::Parse(record.name);
  if (!name) return Standing::kNotAccepted;
  // As much as a pull has: what is found to be gone there is gone here.
  MatchWork work;
  const bool covered = uncovered().empty();
  const Search::Outcome outcome = covered ? Lookup(*this, name->target, wanted.signers, work)
                                          : Search::Outcome(Search::Missing{});
  if (std::holds_alternative<Search::NotFound>(outcome)) return Standing::kWithdrawn;
  if (!HasRoot(*this, record, *anchored_at)) return Standing::kNotAccepted;
  const bool by_a_role =
      wanted.roles.empty() || std::find(wanted.roles.begin(), wanted.roles.end(),
                                        name->ways.front().back()) != wanted.roles.end();
  const bool by_all_signers =
      std::all_of(wanted.signers.begin(), wanted.signers.end(),
                  [&](const std::string& signer) { return EndsIn(name->ways, signer); });
  const bool ways_hold = std::all_of(name->ways.begin(), name->ways.end(),
                                     [&](const auto& way) { return WayHolds(*this, record, way); });
  if (!by_a_role || !by_all_signers || !ways_hold) return Standing::kNotAccepted;
  // Whoever no longer lists the name has taken the signature back.
  const auto* found = std::get_if<Search::Found>(&outcome);
  if (found == nullptr) return Standing::kStands;
  const auto& first = found->hits.front().role;
  const bool by_another =
      !wanted.roles.empty() &&
      std::find(wanted.roles.begin(), wanted.roles.end(), first) == wanted.roles.end();
  if (by_another) return Standing::kWithdrawn;
  const bool all_list =
      std::all_of(wanted.signers.begin(), wanted.signers.end(), [&](const std::string& signer) {
        return std::any_of(found->hits.begin(), found->hits.end(),
                           [&](const Hit& hit) { return hit.role == signer; });
      });
  return all_list ? Standing::kStands : Standing::kWithdrawn;
}

std::string OwnerOfRecord(const VerifiedRecord& record) {
  const std::optional<RecordName> name = RecordName::Parse(record.name);
  if (!name) return "";
  const std::vector<std::string>& way = name->ways.front();
  return way.size() > 1 ? way[1] : way.front();
}

namespace {

// So many go at once that it is seldom done.
constexpr std::size_t kLeft = Limits{}.records / 4 * 3;

// The repository of the image: what the target is called without its tag or digest.
std::string RepositoryOf(const VerifiedRecord& record) {
  std::string target = TargetOf(record);
  for (const std::string& ending : {record.digest.ToString(), record.tag}) {
    if (!ending.empty() && target.ends_with(ending)) {
      target.resize(target.size() - ending.size());
      break;
    }
  }
  return target;
}

// Nobody who is delegated to can push out what is on record of others, and nobody who only runs
// pods what is on record of another repository.
void MakeRoom(Records& records) {
  crivet::trust::MakeRoom(records, kLeft, [](const VerifiedRecord& record) {
    return RecordOwner{OwnerOfRecord(record), RepositoryOf(record)};
  });
}

}  // namespace

// One whose root is in the chain, and whose keys still hold, hangs from the newest root from then
// on, so that a trust that pins the new root alone does not void it.
Records Repository::RecordsAfter(Records records) const {
  // Whoever is delegated to can make the search for each of its names dear: all of its records
  // together have what one search may cost. Where that is spent, its records stay as they are.
  std::map<std::string, MatchWork> work;
  const Verified<Root>& newest = holding_.newest.roots.back();
  const std::vector<std::string> newest_signers = TextsOf(newest.signers);
  const auto goes = [&](VerifiedRecord& record) {
    const auto outcome = uncovered_.empty()
                             ? Lookup(*this, TargetOf(record), {}, work[OwnerOfRecord(record)])
                             : Search::Outcome(Search::Missing{});
    if (IsWithdrawn(record)) return std::holds_alternative<Search::Found>(outcome);
    if (std::holds_alternative<Search::NotFound>(outcome)) Withdraw(record);
    if (IsWithdrawn(record) || record.anchor == newest.signed_sha256) return false;
    const std::optional<RecordName> name = RecordName::Parse(record.name);
    const bool holds = name && HasRoot(*this, record, 0) &&
                       std::all_of(name->ways.begin(), name->ways.end(),
                                   [&](const auto& way) { return WayHolds(*this, record, way); });
    if (!holds) return false;
    record.anchor = newest.signed_sha256;
    record.anchor_signers = newest_signers;
    return false;
  };
  Records kept;
  kept.reserve(records.size());
  for (VerifiedRecord& record : records) {
    if (!goes(record)) kept.push_back(std::move(record));
  }
  if (kept.size() >= Limits{}.records) MakeRoom(kept);
  return kept;
}

}  // namespace crivet::trust::tuf1
