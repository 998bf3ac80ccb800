// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/signed_file.h"

#include <algorithm>
#include <utility>

#include "trust/signed/json_member.h"
#include "trust/signed/signature_threshold.h"
#include "trust/tuf/role_text.h"

namespace crivet::trust::tuf1 {
namespace {

using Signatures = std::map<std::string, std::string, std::less<>>;

Result<Signatures> ReadSignatures(JsonValue root, const Limits& limits) {
  const auto array = ReadMember(root, "signatures", JsonType::kArray);
  if (!array) return tl::unexpected(array.error());
  const auto elements = array->AsArray();
  if (elements->size() > limits.signatures) {
    return Fail(Reason::kMalformed, "signatures holds too many");
  }
  Signatures signatures;
  for (const JsonValue element : *elements) {
    const auto key_id = ReadString(element, "keyid");
    if (!key_id) return tl::unexpected(key_id.error());
    const auto sig = ReadString(element, "sig");
    if (!sig) return tl::unexpected(sig.error());
    const auto exact = RefuseCaseVariants(element, {"keyid", "sig"});
    if (!exact) return tl::unexpected(exact.error());
    if (!signatures.emplace(*key_id, *sig).second) {
      return Fail(Reason::kMalformed, "signatures names one key twice");
    }
  }
  return signatures;
}

}  // namespace

std::set<Sha256> RoleKeys::Spkis() const {
  std::set<Sha256> spkis;
  for (const auto& [name, key] : keys) spkis.insert(key.spki_sha256());
  return spkis;
}

bool RoleKeys::StillBinds(const std::set<Sha256>& signers) const {
  const std::set<Sha256> today = Spkis();
  return !signers.empty() && signers.size() >= threshold &&
         std::includes(today.begin(), today.end(), signers.begin(), signers.end());
}

Result<KeyTable> KeyTable::Read(JsonValue holder) {
  const auto keys = ReadMember(holder, "keys", JsonType::kObject);
  if (!keys) return tl::unexpected(keys.error());
  const auto members = keys->AsObject();
  if (members->size() > kMaxKeys) return Fail(Reason::kMalformed, "keys holds too many");
  KeyTable table;
  for (const JsonMember& key : *members) table.objects_.emplace(key.name, key.value);
  return table;
}

Result<RoleKeys> KeyTable::ReadRole(JsonValue role) {
  const auto text = ReadRoleText(role, kMaxKeys);
  if (!text) return tl::unexpected(text.error());
  uses_ += text->key_ids.size();
  if (uses_ > kMaxUses) return Fail(Reason::kMalformed, "keyids holds too many");
  RoleKeys read;
  read.threshold = text->threshold;
  for (const std::string_view name : text->key_ids) {
    const auto object = objects_.find(name);
    if (object == objects_.end()) {
      read.unusable.emplace(name);
      continue;
    }
    auto parsed = parsed_.find(name);
    if (parsed == parsed_.end()) {
      parsed = parsed_.emplace(object->first, Key::Parse(object->second)).first;
    }
    if (parsed->second) {
      read.keys.emplace(name, *parsed->second);
    } else {
      read.unusable.emplace(name);
    }
  }
  return read;
}

SignedFile::SignedFile(JsonDocument document, JsonValue content, std::size_t size,
                       Signatures signatures)
    : document_(std::move(document)), content_(content), signatures_(std::move(signatures)) {
  signed_bytes_.reserve(size);
  AppendCanonical(content_, signed_bytes_);
}

Result<SignedFile> SignedFile::Parse(std::string_view file, std::size_t max_bytes,
                                     const Limits& limits) {
  if (file.size() > max_bytes) return Fail(Reason::kMalformed, "larger than the limit");
  JsonLimits json_limits;
  json_limits.max_bytes = max_bytes;
  json_limits.max_depth = limits.json_depth;
  json_limits.negative_zero = JsonLimits::NegativeZero::kIsZero;
  auto document = JsonDocument::Parse(file, json_limits);
  if (!document) return tl::unexpected(document.error());
  const auto content = ReadMember(document->root(), "signed", JsonType::kObject);
  if (!content) return tl::unexpected(content.error());
  const auto exact = RefuseCaseVariants(document->root(), {"signed", "signatures"});
  if (!exact) return tl::unexpected(exact.error());
  auto signatures = ReadSignatures(document->root(), limits);
  if (!signatures) return tl::unexpected(signatures.error());
  return SignedFile(*std::move(document), *content, file.size(), *std::move(signatures));
}

Result<std::set<Sha256>> SignedFile::Verify(const RoleKeys& role) const {
  SignatureCount count;
  for (const auto& [name, key] : role.keys) {
    const auto signature = signatures_.find(name);
    if (signature == signatures_.end() || signature->second.empty()) continue;
    count.Note(key.spki_sha256(), key.Verify(signature->second, signed_bytes_));
  }
  const std::size_t usable = role.Spkis().size();
  const auto met = count.Meets(
      {.threshold = role.threshold, .listed = usable + role.unusable.size(), .usable = usable});
  if (!met) return tl::unexpected(met.error());
  return count.signers();
}

}  // namespace crivet::trust::tuf1
