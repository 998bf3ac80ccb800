// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/metadata.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "trust/tuf/metadata_reader.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kBaseRoles[] = {"root", "targets", "snapshot", "timestamp"};

}  // namespace

Result<Root> Root::Parse(JsonValue content, const Limits& limits) {
  const auto header = ReadHeader(content, "Root", {"keys", "roles", "consistent_snapshot"});
  if (!header) return tl::unexpected(header.error());
  // Notary always names files by their hashes, whatever this says; it only has to be a bool.
  const auto consistent = content.Find("consistent_snapshot");
  if (consistent && consistent->type() != JsonType::kBool) {
    return Fail(Reason::kMalformed, "consistent_snapshot has the wrong type");
  }
  const auto keys = ReadMember(content, "keys", JsonType::kObject);
  if (!keys) return tl::unexpected(keys.error());
  const auto table = KeyTable::Read(*keys, limits);
  if (!table) return tl::unexpected(table.error());
  const auto roles = ReadMember(content, "roles", JsonType::kObject);
  if (!roles) return tl::unexpected(roles.error());
  const auto checked = RefuseCaseVariants(*roles, {"root", "targets", "snapshot", "timestamp"});
  if (!checked) return tl::unexpected(checked.error());

  Root root(*header);
  // Other roles may stand there (old repositories have `root.1`); nothing reads them.
  for (std::size_t i = 0; i < root.roles_.size(); ++i) {
    const std::string_view name = kBaseRoles[i];
    const auto role = ReadMember(*roles, name, JsonType::kObject);
    if (!role) return tl::unexpected(role.error());
    auto authorized = table->ReadAuthorized(*role);
    if (!authorized) return tl::unexpected(authorized.error());
    // Where only the usable keys are too few, what the role signs cannot be verified; but the root
    // stays a link to the ones after it, which may say otherwise.
    if (authorized->CountListed() < authorized->threshold) {
      return Fail(Reason::kMalformed, "threshold of " + std::string(name) + " is beyond its keys");
    }
    root.roles_[i] = *std::move(authorized);
  }
  return root;
}

const AuthorizedKeys& Root::KeysOf(const RoleName& base_role) const {
  const auto* const name =
      std::find(std::begin(kBaseRoles), std::end(kBaseRoles), base_role.text());
  return roles_[static_cast<std::size_t>(name - std::begin(kBaseRoles))];
}

Result<Timestamp> Timestamp::Parse(JsonValue content, const Limits&) {
  const auto header = ReadHeader(content, "Timestamp", {"meta"});
  if (!header) return tl::unexpected(header.error());
  const auto meta = ReadMember(content, "meta", JsonType::kObject);
  if (!meta) return tl::unexpected(meta.error());
  const auto entry = ReadMember(*meta, "snapshot", JsonType::kObject);
  if (!entry) return tl::unexpected(entry.error());
  const auto snapshot = ReadFileEntry(*entry);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const auto checked = RefuseCaseVariants(*meta, {"snapshot"});
  if (!checked) return tl::unexpected(checked.error());

  Timestamp timestamp(*header);
  timestamp.snapshot_ = *snapshot;
  return timestamp;
}

Result<Snapshot> Snapshot::Parse(JsonValue content, const Limits&) {
  const auto header = ReadHeader(content, "Snapshot", {"meta"});
  if (!header) return tl::unexpected(header.error());
  const auto meta = ReadMember(content, "meta", JsonType::kObject);
  if (!meta) return tl::unexpected(meta.error());
  const auto checked = RefuseCaseVariants(*meta, {"root", "targets"});
  if (!checked) return tl::unexpected(checked.error());

  Snapshot snapshot(*header);
  const auto members = meta->AsObject();
  for (const JsonMember& member : *members) {
    const auto entry = ReadFileEntry(member.value);
    if (!entry) return tl::unexpected(entry.error());
    auto name = RoleName::Parse(member.name);
    if (name) snapshot.entries_.emplace(*std::move(name), *entry);
  }
  for (const RoleName& mandatory : {RoleName::Root(), RoleName::Targets()}) {
    if (snapshot.Find(mandatory) == nullptr) {
      return Fail(Reason::kMalformed, mandatory.text() + " is not listed");
    }
  }
  return snapshot;
}

const FileEntry* Snapshot::Find(const RoleName& role) const {
  const auto entry = entries_.find(role);
  return entry == entries_.end() ? nullptr : &entry->second;
}

}  // namespace crivet::trust
