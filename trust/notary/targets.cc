// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/targets.h"

#include <algorithm>
#include <utility>

#include "trust/tuf/metadata_reader.h"
#include "trust/tuf/target_text.h"

namespace crivet::trust {
namespace {

// The grammar of tags. What stands in a file may be a million names.
bool IsTag(std::string_view text) {
  constexpr std::size_t kMaxTagSize = 128;
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && text.size() <= kMaxTagSize && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

tl::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Reason::kMalformed, std::string(what));
}

// The SHA-256 of one entry of `targets`.
tl::expected<Sha256, EntryFault> ReadTargetDigest(JsonValue entry) {
  const auto text = ReadTarget(entry);
  if (!text) return tl::unexpected(text.error());
  if (!text->sha256) return tl::unexpected(EntryFault::kNoSha256);
  const auto sha256 = Sha256FromBase64(*text->sha256);
  if (!sha256) return tl::unexpected(EntryFault::kBadSha256);
  return *sha256;
}

struct Tags {
  TagIndex index;
  std::map<std::string, EntryFault, std::less<>> faults;
};

Tags ReadTags(JsonValue targets, const Sha256& seed) {
  const auto members = targets.AsObject();
  TagIndex::Builder builder(seed, members->size());
  Tags tags;
  for (const JsonMember& member : *members) {
    if (!IsTag(member.name)) continue;
    const auto sha256 = ReadTargetDigest(member.value);
    if (sha256) {
      builder.Add(member.name, *sha256);
    } else {
      tags.faults.emplace(member.name, sha256.error());
    }
  }
  tags.index = std::move(builder).Build();
  return tags;
}

Result<std::vector<std::string>> ReadPaths(JsonValue delegation) {
  std::vector<std::string> paths;
  if (!delegation.Find("paths")) return paths;
  const auto array = ReadMember(delegation, "paths", JsonType::kArray);
  if (!array) return tl::unexpected(array.error());
  const auto elements = array->AsArray();
  for (const JsonValue element : *elements) {
    const auto path = element.AsString();
    if (!path) return Malformed("paths holds something that is not a string");
    paths.emplace_back(*path);
  }
  return paths;
}

Result<Delegation> ReadDelegation(JsonValue object, const RoleName& parent, const KeyTable& keys) {
  const auto text = ReadString(object, "name");
  if (!text) return tl::unexpected(text.error());
  auto name = RoleName::Parse(*text);
  if (!name || name->parent() != parent) {
    return Malformed("a delegation whose name does not lie below " + parent.text());
  }
  auto authorized = keys.ReadAuthorized(object);
  if (!authorized) return tl::unexpected(authorized.error());
  auto paths = ReadPaths(object);
  if (!paths) return tl::unexpected(paths.error());
  const auto checked = RefuseCaseVariants(object, {"name", "paths"});
  if (!checked) return tl::unexpected(checked.error());
  return Delegation{*std::move(name), *std::move(authorized), *std::move(paths)};
}

Result<std::vector<Delegation>> ReadDelegations(JsonValue content, const RoleName& parent,
                                                const Limits& limits) {
  std::vector<Delegation> delegations;
  if (!content.Find("delegations")) return delegations;
  const auto object = ReadMember(content, "delegations", JsonType::kObject);
  if (!object) return tl::unexpected(object.error());
  const auto keys = ReadMember(*object, "keys", JsonType::kObject);
  if (!keys) return tl::unexpected(keys.error());
  const auto table = KeyTable::Read(*keys, limits);
  if (!table) return tl::unexpected(table.error());
  const auto checked = RefuseCaseVariants(*object, {"keys", "roles"});
  if (!checked) return tl::unexpected(checked.error());
  // What Notary's client writes once the last delegation has been removed.
  const auto listed = object->Find("roles");
  if (listed && listed->type() == JsonType::kNull) return delegations;
  const auto roles = ReadMember(*object, "roles", JsonType::kArray);
  if (!roles) return tl::unexpected(roles.error());
  const auto elements = roles->AsArray();
  if (elements->size() > limits.delegations) return Malformed("delegations holds too many roles");
  for (const JsonValue element : *elements) {
    if (element.type() != JsonType::kObject) return Malformed("a delegation has the wrong type");
    auto delegation = ReadDelegation(element, parent, *table);
    if (!delegation) return tl::unexpected(delegation.error());
    delegations.push_back(*std::move(delegation));
  }
  std::sort(delegations.begin(), delegations.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(delegations.begin(), delegations.end(),
                         [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != delegations.end()) return Malformed("a delegation is there twice");
  return delegations;
}

}  // namespace

Result<Targets> Targets::Parse(JsonValue content, const RoleName& role, const Sha256& file_sha256,
                               const Limits& limits) {
  const auto header = ReadHeader(content, "Targets", {"targets", "delegations"});
  if (!header) return tl::unexpected(header.error());
  const auto entries = ReadMember(content, "targets", JsonType::kObject);
  if (!entries) return tl::unexpected(entries.error());
  Tags tags = ReadTags(*entries, file_sha256);
  auto delegations = ReadDelegations(content, role, limits);
  if (!delegations) return tl::unexpected(delegations.error());

  Targets targets(*header, role);
  targets.tags_ = std::move(tags.index);
  targets.faults_ = std::move(tags.faults);
  targets.delegations_ = *std::move(delegations);
  return targets;
}

std::optional<EntryFault> Targets::FaultOf(std::string_view tag) const {
  const auto at = faults_.find(tag);
  return at == faults_.end() ? std::nullopt : std::optional(at->second);
}

const Delegation* Targets::FindDelegation(const RoleName& name) const {
  const auto at = std::find_if(delegations_.begin(), delegations_.end(),
                               [&](const Delegation& d) { return d.name == name; });
  return at == delegations_.end() ? nullptr : &*at;
}

std::size_t Targets::resident_bytes() const {
  // A key with its certificate and OpenSSL's own object.
  constexpr std::size_t kKeyBytes = 2048;
  // A node of a map with its name.
  constexpr std::size_t kFaultBytes = 128;
  std::size_t bytes = sizeof *this + tags_.resident_bytes() + faults_.size() * kFaultBytes;
  for (const Delegation& delegation : delegations_) {
    bytes += sizeof delegation + delegation.keys.keys.size() * kKeyBytes;
  }
  return bytes;
}

}  // namespace crivet::trust
