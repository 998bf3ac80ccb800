// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/envelope.h"

#include <utility>

#include "trust/signed/json_member.h"

namespace crivet::trust {
namespace {

Result<std::vector<Signature>> ReadSignatures(JsonValue root, const Limits& limits) {
  const auto array = ReadMember(root, "signatures", JsonType::kArray);
  if (!array) return tl::unexpected(array.error());
  const auto elements = array->AsArray();
  // Each costs a public-key operation (CVE-2020-6173).
  if (elements->size() > limits.signatures) {
    return Fail(Reason::kMalformed, "signatures holds too many");
  }
  std::vector<Signature> signatures;
  for (const JsonValue element : *elements) {
    const auto key_id = ReadString(element, "keyid");
    if (!key_id) return tl::unexpected(key_id.error());
    const auto method = ReadString(element, "method");
    if (!method) return tl::unexpected(method.error());
    const auto base64 = ReadString(element, "sig");
    if (!base64) return tl::unexpected(base64.error());
    const auto checked = RefuseCaseVariants(element, {"keyid", "method", "sig"});
    if (!checked) return tl::unexpected(checked.error());
    auto bytes = FromBase64(*base64);
    if (!bytes) return Fail(Reason::kMalformed, "sig is not base64");
    const auto id = KeyId::Parse(*key_id);
    if (id) signatures.push_back({*id, std::string(*method), *std::move(bytes)});
  }
  return signatures;
}

}  // namespace

Envelope::Envelope(JsonDocument document, JsonValue content, std::vector<Signature> signatures)
    : document_(std::move(document)),
      content_(content),
      signed_bytes_(content),
      signatures_(std::move(signatures)) {}

Result<Envelope> Envelope::Parse(std::string_view file, std::size_t max_bytes,
                                 const Limits& limits) {
  if (file.size() > max_bytes) return Fail(Reason::kMalformed, "larger than the limit");
  JsonLimits json_limits;
  json_limits.max_bytes = max_bytes;
  json_limits.max_depth = limits.json_depth;
  auto document = JsonDocument::Parse(file, json_limits);
  if (!document) return tl::unexpected(document.error());
  const JsonValue root = document->root();
  const auto content = ReadMember(root, "signed", JsonType::kObject);
  if (!content) return tl::unexpected(content.error());
  const auto checked = RefuseCaseVariants(root, {"signed", "signatures"});
  if (!checked) return tl::unexpected(checked.error());
  auto signatures = ReadSignatures(root, limits);
  if (!signatures) return tl::unexpected(signatures.error());
  return Envelope(*std::move(document), *content, *std::move(signatures));
}

}  // namespace crivet::trust
