// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/targets.h"

#include <algorithm>
#include <utility>

#include "trust/signed/json_member.h"

namespace crivet::trust::tuf1 {
namespace {

// One entry that cannot be used refuses that name alone.
TargetEntry Unusable(EntryFault fault) {
  TargetEntry entry;
  entry.fault = fault;
  return entry;
}

TargetEntry ReadEntry(JsonValue value) {
  if (!value.AsObject()) return Unusable(EntryFault::kNotAnObject);
  const auto length = ReadInteger(value, "length");
  if (!length || *length < 0) return Unusable(EntryFault::kLength);
  const auto hashes = ReadMember(value, "hashes", JsonType::kObject);
  if (!hashes) return Unusable(EntryFault::kHashes);
  if (!RefuseCaseVariants(value, {"length", "hashes"}) ||
      !RefuseCaseVariants(*hashes, {"sha256", "sha512"})) {
    return Unusable(EntryFault::kTwoCases);
  }
  const auto digests = Digests::Read(*hashes);
  if (!digests) return Unusable(EntryFault::kBadSha256);
  return TargetEntry{std::nullopt, *length, *digests};
}

}  // namespace

Result<Targets> Targets::Parse(JsonValue content) {
  const auto header =
      tuf1::ReadHeader(content, kTargets, {"spec_version", "targets", "delegations"});
  if (!header) return tl::unexpected(header.error());
  Targets read;
  read.header_ = *header;
  const auto targets = ReadMember(content, "targets", JsonType::kObject);
  if (!targets) return tl::unexpected(targets.error());
  const auto members = targets->AsObject();
  read.entries_.reserve(members->size());
  for (const JsonMember& target : *members) {
    read.entries_.emplace(target.name, ReadEntry(target.value));
  }
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

const TargetEntry* Targets::Find(std::string_view name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? nullptr : &entry->second;
}

void Targets::IndexDigests() {
  by_digest_.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (!entry.fault && entry.hashes.sha256) by_digest_.emplace_back(*entry.hashes.sha256, &name);
  }
  std::sort(by_digest_.begin(), by_digest_.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
}

std::vector<std::string_view> Targets::NamesOf(const Sha256& sha256, std::string_view prefix,
                                               std::size_t most) const {
  std::vector<std::string_view> names;
  auto at = std::lower_bound(
      by_digest_.begin(), by_digest_.end(), prefix, [&](const auto& entry, std::string_view begin) {
        return entry.first != sha256 ? entry.first < sha256 : *entry.second < begin;
      });
  for (; at != by_digest_.end() && names.size() < most; ++at) {
    if (at->first != sha256 || !at->second->starts_with(prefix)) break;
    names.emplace_back(*at->second);
  }
  return names;
}

std::size_t Targets::resident_bytes() const {
  std::size_t bytes = sizeof(Targets) + by_digest_.size() * sizeof by_digest_.front();
  for (const auto& [name, entry] : entries_) bytes += name.capacity() + sizeof entry + 64;
  if (delegations_) bytes += delegations_->resident_bytes();
  return bytes;
}

}  // namespace crivet::trust::tuf1
