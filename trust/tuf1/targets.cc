// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/targets.h"

#include <algorithm>
#include <utility>

#include "trust/signed/json_member.h"
#include "trust/tuf/target_text.h"

namespace crivet::trust::tuf1 {
namespace {

// One entry that cannot be used refuses that name alone.
TargetEntry Unusable(EntryFault fault) {
  TargetEntry entry;
  entry.fault = fault;
  return entry;
}

TargetEntry ReadEntry(JsonValue value) {
  const auto text = ReadTarget(value);
  if (!text) return Unusable(text.error());
  TargetEntry entry{std::nullopt, text->length, {}};
  if (text->sha256) {
    entry.hashes.sha256 = Sha256FromHex(*text->sha256);
    if (!entry.hashes.sha256) return Unusable(EntryFault::kBadSha256);
  }
  if (text->sha512) {
    entry.hashes.sha512 = Sha512FromHex(*text->sha512);
    if (!entry.hashes.sha512) return Unusable(EntryFault::kBadSha256);
  }
  return entry;
}

// The first eight bytes, as a number that sorts as they do.
std::uint64_t BeginOf(const Sha256& digest) {
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < sizeof begin; ++i) begin = begin << 8 | digest[i];
  return begin;
}

}  // namespace

Result<Targets> Targets::Parse(JsonValue content) {
  const auto header =
      tuf1::ReadHeader(content, kTargets, {"spec_version", "targets", "delegations"});
  if (!header) return tl::unexpected(header.error());
  Targets read(*header);
  const auto targets = ReadMember(content, "targets", JsonType::kObject);
  if (!targets) return tl::unexpected(targets.error());
  read.ReadEntries(*targets->AsObject());
  read.IndexDigests();
  if (const auto delegations = content.Find("delegations")) {
    if (!delegations->AsObject()) {
      return Fail(Reason::kMalformed, "delegations has the wrong type");
    }
    auto parsed = Delegations::Parse(*delegations);
    if (!parsed) return tl::unexpected(parsed.error());
    read.delegations_ = *std::move(parsed);
  }
  return read;
}

void Targets::ReadEntries(const JsonMembers& members) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const JsonMember& target : members) {
    bytes += target.name.size();
    ++count;
  }
  names_.reserve(bytes);
  entries_.reserve(count);
  bool ascending = true;
  for (const JsonMember& target : members) {
    const char* const begin = names_.data() + names_.size();
    names_.insert(names_.end(), target.name.begin(), target.name.end());
    const std::string_view name(begin, target.name.size());
    ascending = ascending && (entries_.empty() || entries_.back().name < name);
    entries_.push_back({name, ReadEntry(target.value)});
  }
  if (ascending) return;
  std::sort(entries_.begin(), entries_.end(),
            [](const Named& a, const Named& b) { return a.name < b.name; });
}

const TargetEntry* Targets::Find(std::string_view name) const {
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const Named& entry, std::string_view sought) { return entry.name < sought; });
  return at == entries_.end() || at->name != name ? nullptr : &at->entry;
}

void Targets::IndexDigests() {
  by_digest_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const TargetEntry& entry = entries_[i].entry;
    if (entry.fault || !entry.hashes.sha256) continue;
    by_digest_.push_back({BeginOf(*entry.hashes.sha256), static_cast<std::uint32_t>(i)});
  }
  std::sort(by_digest_.begin(), by_digest_.end(), [this](const Digested& a, const Digested& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    const auto order = DigestOf(a) <=> DigestOf(b);
    return order != 0 ? order < 0 : a.at < b.at;
  });
}

std::vector<std::string_view> Targets::NamesOf(const Sha256& sha256, std::string_view prefix,
                                               std::size_t most) const {
  std::vector<std::string_view> names;
  auto at = std::lower_bound(by_digest_.begin(), by_digest_.end(), prefix,
                             [&](const Digested& entry, std::string_view begin) {
                               const auto order = DigestOf(entry) <=> sha256;
                               return order != 0 ? order < 0 : entries_[entry.at].name < begin;
                             });
  for (; at != by_digest_.end() && names.size() < most; ++at) {
    const std::string_view name = entries_[at->at].name;
    if (DigestOf(*at) != sha256 || !name.starts_with(prefix)) break;
    names.push_back(name);
  }
  return names;
}

std::size_t Targets::resident_bytes() const {
  std::size_t bytes = sizeof(Targets) + names_.capacity() +
                      entries_.capacity() * sizeof entries_.front() +
                      by_digest_.capacity() * sizeof by_digest_.front();
  if (delegations_) bytes += delegations_->resident_bytes();
  return bytes;
}

}  // namespace crivet::trust::tuf1
