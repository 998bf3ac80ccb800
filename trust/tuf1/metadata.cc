// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/metadata.h"

#include <algorithm>
#include <utility>

#include "trust/signed/json_member.h"
#include "trust/tuf/metadata_reader.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kRoles[] = {kRoot, kTimestamp, kSnapshot, kTargets};

// `1.0`, `1.0.34`: numbers without a zero in front, the first of them 1.
bool IsVersionOne(std::string_view text) {
  if (!text.starts_with("1.")) return false;
  std::size_t parts = 1;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    const bool digits = !part.empty() && std::all_of(part.begin(), part.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || (part.size() > 1 && part.front() == '0')) return false;
    if (dot == std::string_view::npos) return parts == 2 || parts == 3;
    text.remove_prefix(dot + 1);
    ++parts;
  }
}

}  // namespace

bool IsTopLevel(std::string_view role) {
  return std::find(std::begin(kRoles), std::end(kRoles), role) != std::end(kRoles);
}

Result<MetadataHeader> ReadHeader(JsonValue content, std::string_view type,
                                  std::initializer_list<std::string_view> members) {
  auto header = trust::ReadHeader(content, type, members);
  if (!header) return header;
  const auto spec = ReadString(content, "spec_version");
  if (!spec) return tl::unexpected(spec.error());
  if (!IsVersionOne(*spec)) return MalformedMember("spec_version", "is not of major version 1");
  if (FormatRfc3339(header->expires()) != *ReadString(content, "expires")) {
    return MalformedMember("expires", "is not of the form YYYY-MM-DDTHH:MM:SSZ");
  }
  return header;
}

std::optional<Sha512> Sha512FromHex(std::string_view hex) {
  const auto bytes = FromHex(hex);
  Sha512 digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

Result<Digests> Digests::Read(JsonValue hashes) {
  const auto members = hashes.AsObject();
  if (!members) return MalformedMember("hashes", "has the wrong type");
  Digests read;
  for (const JsonMember& hash : *members) {
    const auto text = hash.value.AsString();
    if (!text) return MalformedMember("hashes", "holds something that is not a string");
    if (hash.name == "sha256") {
      read.sha256 = Sha256FromHex(*text);
      if (!read.sha256) return MalformedMember("sha256", "is not 64 lower-case hex digits");
    } else if (hash.name == "sha512") {
      read.sha512 = Sha512FromHex(*text);
      if (!read.sha512) return MalformedMember("sha512", "is not 128 lower-case hex digits");
    }
  }
  const auto exact = RefuseCaseVariants(hashes, {"sha256", "sha512"});
  if (!exact) return tl::unexpected(exact.error());
  return read;
}

bool Digests::Fit(std::string_view bytes) const {
  return HasKnown() && (!sha256 || *sha256 == Sha256Of(bytes)) &&
         (!sha512 || *sha512 == Sha512Of(bytes));
}

Result<MetaEntry> MetaEntry::Read(JsonValue entry) {
  if (!entry.AsObject()) return MalformedMember("meta", "holds something that is not an object");
  const auto version = ReadInteger(entry, "version");
  if (!version) return tl::unexpected(version.error());
  if (*version < 1) return MalformedMember("version", "is below 1");
  MetaEntry read;
  read.version = *version;
  if (entry.Find("length")) {
    const auto length = ReadInteger(entry, "length");
    if (!length) return tl::unexpected(length.error());
    if (*length < 0) return MalformedMember("length", "is negative");
    read.length = static_cast<std::size_t>(*length);
  }
  if (const auto hashes = entry.Find("hashes")) {
    auto digests = Digests::Read(*hashes);
    if (!digests) return tl::unexpected(digests.error());
    read.hashes = *digests;
  }
  const auto exact = RefuseCaseVariants(entry, {"version", "length", "hashes"});
  if (!exact) return tl::unexpected(exact.error());
  return read;
}

Result<void> MetaEntry::Check(std::string_view file) const {
  if (length && file.size() != *length) return Fail(Reason::kHash, "not as long as it is listed");
  if (!hashes) return {};
  if (!hashes->HasKnown()) return Fail(Reason::kHash, "listed by no hash that is known");
  if (!hashes->Fit(file)) return Fail(Reason::kHash, "not the bytes that are listed");
  return {};
}

Result<Root> Root::Parse(JsonValue content) {
  const auto header =
      tuf1::ReadHeader(content, kRoot, {"spec_version", "keys", "roles", "consistent_snapshot"});
  if (!header) return tl::unexpected(header.error());
  Root root(*header);
  if (content.Find("consistent_snapshot")) {
    const auto consistent = ReadMember(content, "consistent_snapshot", JsonType::kBool);
    if (!consistent) return tl::unexpected(consistent.error());
    root.consistent_snapshot_ = *consistent->AsBool();
  }
  auto keys = KeyTable::Read(content);
  if (!keys) return tl::unexpected(keys.error());
  const auto roles = ReadMember(content, "roles", JsonType::kObject);
  if (!roles) return tl::unexpected(roles.error());
  if (roles->AsObject()->size() != std::size(kRoles)) {
    return MalformedMember("roles", "are not the four");
  }
  for (const std::string_view name : kRoles) {
    const auto role = ReadMember(*roles, name, JsonType::kObject);
    if (!role) return tl::unexpected(role.error());
    auto read = keys->ReadRole(*role);
    if (!read) return tl::unexpected(read.error());
    root.roles_.emplace(name, *std::move(read));
  }
  return root;
}

Result<Timestamp> Timestamp::Parse(JsonValue content) {
  const auto header = tuf1::ReadHeader(content, kTimestamp, {"spec_version", "meta"});
  if (!header) return tl::unexpected(header.error());
  const auto meta = ReadMember(content, "meta", JsonType::kObject);
  if (!meta) return tl::unexpected(meta.error());
  const auto listed = ReadMember(*meta, "snapshot.json", JsonType::kObject);
  if (!listed) return tl::unexpected(listed.error());
  auto entry = MetaEntry::Read(*listed);
  if (!entry) return tl::unexpected(entry.error());
  Timestamp timestamp(*header);
  timestamp.snapshot_ = *std::move(entry);
  return timestamp;
}

Result<Snapshot> Snapshot::Parse(JsonValue content) {
  const auto header = tuf1::ReadHeader(content, kSnapshot, {"spec_version", "meta"});
  if (!header) return tl::unexpected(header.error());
  const auto meta = ReadMember(content, "meta", JsonType::kObject);
  if (!meta) return tl::unexpected(meta.error());
  Snapshot snapshot(*header);
  const auto members = meta->AsObject();
  if (members->size() > kMaxEntries) return MalformedMember("meta", "holds too many");
  for (const JsonMember& listed : *members) {
    auto entry = MetaEntry::Read(listed.value);
    if (!entry) return tl::unexpected(entry.error());
    snapshot.entries_.emplace(listed.name, *std::move(entry));
  }
  return snapshot;
}

const MetaEntry* Snapshot::Find(std::string_view role) const {
  const auto entry = entries_.find(std::string(role) + ".json");
  return entry == entries_.end() ? nullptr : &entry->second;
}

}  // namespace crivet::trust::tuf1
