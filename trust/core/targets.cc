#include "trust/core/targets.h"

#include <algorithm>
#include <utility>

#include "trust/core/metadata_reader.h"

namespace crivet::trust {
namespace {

tl::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Reason::kMalformed, std::string(what));
}

// The SHA-256 of one entry of `targets`. There may be a million of them: what stands in every file
// is read in one pass, and only an entry with something unknown in it is looked at closely.
Result<Sha256> ReadTargetDigest(JsonValue entry) {
  const auto members = entry.AsObject();
  if (!members) return Malformed("an entry of targets has the wrong type");
  std::optional<JsonValue> hashes;
  std::optional<std::int64_t> length;
  bool plain = true;
  for (const JsonMember& member : *members) {
    if (member.name == "hashes") {
      hashes = member.value;
    } else if (member.name == "length") {
      length = member.value.AsInteger();
    } else if (member.name != "custom") {
      plain = false;
    }
  }
  if (!length || *length < 0) return Malformed("length of an entry of targets");
  const auto digests = hashes ? hashes->AsObject() : std::nullopt;
  if (!digests) return Malformed("hashes of an entry of targets");
  std::optional<Sha256> sha256;
  for (const JsonMember& digest : *digests) {
    const auto text = digest.value.AsString();
    if (!text) return Malformed("hashes of an entry of targets");
    if (digest.name == "sha256") {
      sha256 = Sha256FromBase64(*text);
    } else if (digest.name != "sha512") {
      plain = false;
    }
  }
  if (!sha256) return Malformed("sha256 of an entry of targets");
  if (!plain) {
    for (const auto& checked : {RefuseCaseVariants(entry, {"hashes", "length", "custom"}),
                                RefuseCaseVariants(*hashes, {"sha256", "sha512"})}) {
      if (!checked) return tl::unexpected(checked.error());
    }
  }
  return *sha256;
}

Result<TagIndex> ReadTags(JsonValue targets, const Sha256& seed) {
  const auto members = targets.AsObject();
  TagIndex::Builder builder(seed);
  builder.Reserve(members->size());
  for (const JsonMember& member : *members) {
    const auto sha256 = ReadTargetDigest(member.value);
    if (!sha256) return tl::unexpected(sha256.error());
    builder.Add(member.name, *sha256);
  }
  return std::move(builder).Build();
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
  auto tags = ReadTags(*entries, file_sha256);
  if (!tags) return tl::unexpected(tags.error());
  auto delegations = ReadDelegations(content, role, limits);
  if (!delegations) return tl::unexpected(delegations.error());

  Targets targets(role);
  targets.version_ = header->version;
  targets.expires_ = header->expires;
  targets.tags_ = *std::move(tags);
  targets.delegations_ = *std::move(delegations);
  return targets;
}

const Delegation* Targets::FindDelegation(const RoleName& name) const {
  const auto at = std::find_if(delegations_.begin(), delegations_.end(),
                               [&](const Delegation& d) { return d.name == name; });
  return at == delegations_.end() ? nullptr : &*at;
}

std::size_t Targets::resident_bytes() const {
  // A key with its certificate and OpenSSL's own object.
  constexpr std::size_t kKeyBytes = 2048;
  std::size_t bytes = sizeof *this + tags_.resident_bytes();
  for (const Delegation& delegation : delegations_) {
    bytes += sizeof delegation + delegation.keys.keys.size() * kKeyBytes;
  }
  return bytes;
}

}  // namespace crivet::trust
