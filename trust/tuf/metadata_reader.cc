// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/metadata_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "trust/tuf/role_text.h"

namespace crivet::trust {
namespace {

bool IsKnownKeyType(std::string_view name) {
  constexpr KeyType kAll[] = {KeyType::kEcdsa, KeyType::kEcdsaX509, KeyType::kRsa,
                              KeyType::kRsaX509, KeyType::kEd25519};
  return std::any_of(std::begin(kAll), std::end(kAll),
                     [&](KeyType known) { return NameOf(known) == name; });
}

struct KeyObject {
  std::string_view type;
  /// Unset where the key cannot be used, whatever its bytes are.
  std::optional<std::string_view> public_base64;
};

Result<KeyObject> ReadKeyObject(JsonValue key) {
  const auto type = ReadString(key, "keytype");
  if (!type) return tl::unexpected(type.error());
  const auto exact = RefuseCaseVariants(key, {"keytype", "keyval"});
  if (!exact) return tl::unexpected(exact.error());
  if (!IsKnownKeyType(*type)) return KeyObject{*type, std::nullopt};
  const auto value = ReadMember(key, "keyval", JsonType::kObject);
  if (!value) return tl::unexpected(value.error());
  const auto public_base64 = ReadString(*value, "public");
  if (!public_base64) return tl::unexpected(public_base64.error());
  const auto checked = RefuseCaseVariants(*value, {"public", "private"});
  if (!checked) return tl::unexpected(checked.error());
  // The key's ID is made with `private: null`: with anything else there it is another object.
  const auto secret = value->Find("private");
  if (secret && secret->type() != JsonType::kNull) return KeyObject{*type, std::nullopt};
  return KeyObject{*type, *public_base64};
}

}  // namespace

Result<MetadataHeader> ReadHeader(JsonValue content, std::string_view type,
                                  std::initializer_list<std::string_view> members) {
  const auto stated_type = ReadString(content, "_type");
  if (!stated_type) return tl::unexpected(stated_type.error());
  // One role's file must never pass for another's, whatever keys they share.
  if (*stated_type != type) return MalformedMember("_type", "is of another role");
  const auto version = ReadInteger(content, "version");
  if (!version) return tl::unexpected(version.error());
  if (*version < 1) return MalformedMember("version", "is below 1");
  const auto expires_text = ReadString(content, "expires");
  if (!expires_text) return tl::unexpected(expires_text.error());
  const auto expires = ParseRfc3339(*expires_text);
  if (!expires) return MalformedMember("expires", "is not an RFC 3339 time");
  for (const auto& checked : {RefuseCaseVariants(content, {"_type", "version", "expires"}),
                              RefuseCaseVariants(content, members)}) {
    if (!checked) return tl::unexpected(checked.error());
  }
  return MetadataHeader{*version, *expires};
}

Result<FileEntry> ReadFileEntry(JsonValue entry) {
  const auto length = ReadInteger(entry, "length");
  if (!length) return tl::unexpected(length.error());
  // Notary takes a negative length for "no limit".
  if (*length < 0) return MalformedMember("length", "is negative");
  const auto hashes = ReadMember(entry, "hashes", JsonType::kObject);
  if (!hashes) return tl::unexpected(hashes.error());
  FileEntry read;
  read.length = static_cast<std::size_t>(*length);
  bool has_sha256 = false;
  const auto members = hashes->AsObject();
  for (const JsonMember& hash : *members) {
    const auto text = hash.value.AsString();
    if (!text) return MalformedMember("hashes", "holds something that is not a string");
    if (hash.name == "sha256") {
      const auto sha256 = Sha256FromBase64(*text);
      if (!sha256) return MalformedMember("sha256", "is not the base64 of 32 bytes");
      read.sha256 = *sha256;
      has_sha256 = true;
    } else if (hash.name == "sha512") {
      const auto bytes = FromBase64(*text);
      if (!bytes || bytes->size() != sizeof(Sha512)) {
        return MalformedMember("sha512", "is not the base64 of 64 bytes");
      }
      std::copy(bytes->begin(), bytes->end(), read.sha512.emplace().begin());
    }
  }
  if (!has_sha256) return MalformedMember("sha256", "is missing");
  for (const auto& checked : {RefuseCaseVariants(entry, {"length", "hashes"}),
                              RefuseCaseVariants(*hashes, {"sha256", "sha512"})}) {
    if (!checked) return tl::unexpected(checked.error());
  }
  return read;
}

Result<KeyTable> KeyTable::Read(JsonValue keys, const Limits& limits) {
  const auto members = keys.AsObject();
  if (!members) return MalformedMember("keys", "has the wrong type");
  if (members->size() > limits.keys) return MalformedMember("keys", "holds too many");
  for (const JsonMember& key : *members) {
    const auto object = ReadKeyObject(key.value);
    if (!object) return tl::unexpected(object.error());
  }
  return KeyTable(keys, limits);
}

Result<AuthorizedKeys> KeyTable::ReadAuthorized(JsonValue role) const {
  const auto text = ReadRoleText(role, max_keys_);
  if (!text) return tl::unexpected(text.error());
  AuthorizedKeys authorized;
  authorized.threshold = text->threshold;
  for (const std::string_view key_id : text->key_ids) {
    const auto object = keys_.Find(key_id);
    if (!object) return MalformedMember("keyids", "names a key that is not there");
    const auto fields = ReadKeyObject(*object);
    if (!fields) return tl::unexpected(fields.error());
    Result<PublicKey> key = MalformedMember("keyval", "cannot be used");
    if (fields->public_base64) key = PublicKey::Parse(fields->type, *fields->public_base64);
    if (!key) {
      authorized.unusable.emplace(key_id);
      continue;
    }
    if (KeyId::Parse(key_id) != key->id()) {
      return MalformedMember("keyids", "names a key by an ID that is not its own");
    }
    const KeyId id = key->id();
    authorized.keys.emplace(id, *std::move(key));
  }
  return authorized;
}

}  // namespace crivet::trust
