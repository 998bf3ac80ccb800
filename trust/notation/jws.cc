// SPDX-License-Identifier: Apache-2.0

// The JWS envelope (Notary Project specification, "signature envelope JWS"; RFC 7515 7.2.2).

#include "trust/notation/jws.h"

#include <algorithm>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/notation/attributes.h"
#include "trust/signed/json.h"

namespace crivet::trust::notation {
namespace {

constexpr JsonLimits kLimits{
    .max_bytes = Envelope::kMaxSize, .max_depth = 16, .max_values = 10'000};

tl::unexpected<SignatureError> Malformed(std::string detail) {
  return RefuseSignature(SignatureReason::kMalformed, "JWS: " + std::move(detail));
}

// RFC 7515 2: no padding, no white space.
std::optional<std::string> FromBase64Url(std::string_view text) {
  if (text.find_first_of("+/=\r\n") != std::string_view::npos) return std::nullopt;
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  return FromBase64(standard);
}

std::optional<std::string_view> TextOf(JsonValue object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? member->AsString() : std::nullopt;
}

SignatureResult<TimePoint> TimeOf(JsonValue value, std::string_view name) {
  const auto text = value.AsString();
  auto time = text ? ParseRfc3339(*text) : SignatureResult<TimePoint>(Malformed(""));
  if (!time) return Malformed(std::string(name) + " is not a time");
  return time;
}

struct Protected {
  SignedAttributes attributes;
  Algorithm algorithm;
};

SignatureResult<void> ReadCritical(JsonValue value, SignedAttributes& into) {
  constexpr std::size_t kMaxCritical = 16;
  const auto elements = value.AsArray();
  if (!elements) return Malformed("crit is not a list");
  for (const JsonValue element : *elements) {
    const auto text = element.AsString();
    if (!text || into.critical.size() == kMaxCritical) return Malformed("crit");
    into.critical.emplace_back(*text);
  }
  return {};
}

// A member that is not known is not passed over: what is signed has a meaning for somebody.
SignatureResult<Protected> ReadProtected(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto members = document->root().AsObject();
  if (!members) return Malformed("protected is not an object");
  SignedAttributes attributes;
  std::optional<Algorithm> algorithm;
  for (const JsonMember member : *members) {
    const auto text = member.value.AsString();
    if (member.name == "alg" && text) {
      const auto found = AlgorithmByName(*text);
      if (!found) return tl::unexpected(found.error());
      algorithm = *found;
    } else if (member.name == "cty" && text) {
      attributes.content_type = std::string(*text);
    } else if (member.name == "crit") {
      if (auto read = ReadCritical(member.value, attributes); !read) {
        return tl::unexpected(read.error());
      }
    } else if (member.name == kSchemeName && text) {
      attributes.scheme = std::string(*text);
    } else if (member.name == kTimeName || member.name == kAuthenticTimeName ||
               member.name == kExpiryName) {
      const auto time = TimeOf(member.value, member.name);
      if (!time) return tl::unexpected(time.error());
      auto& into = member.name == kTimeName     ? attributes.signing_time
                   : member.name == kExpiryName ? attributes.expiry
                                                : attributes.authentic_time;
      into = *time;
    } else {
      return Malformed("a protected member that is not known");
    }
  }
  if (!algorithm) return Malformed("no algorithm");
  return Protected{std::move(attributes), *algorithm};
}

SignatureResult<std::vector<Certificate>> ReadChain(JsonValue header, const ChainMemory* known) {
  const auto member = header.Find("x5c");
  const auto elements = member ? member->AsArray() : std::nullopt;
  if (!elements) return Malformed("no x5c");
  std::vector<Certificate> chain;
  for (const JsonValue element : *elements) {
    if (chain.size() == Envelope::kMaxChain) return Malformed("more than 10 certificates");
    const auto text = element.AsString();
    const auto der = text ? FromBase64(*text) : std::nullopt;
    if (!der) return Malformed("a certificate that is not base64");
    auto certificate = ReadCertificate(*der, known);
    if (!certificate) return tl::unexpected(certificate.error());
    chain.push_back(*std::move(certificate));
  }
  return chain;
}

}  // namespace

SignatureResult<Envelope> ParseJws(std::string_view bytes, const ChainMemory* known) {
  const auto document = JsonDocument::Parse(bytes, kLimits);
  if (!document) return tl::unexpected(document.error());
  const JsonValue root = document->root();
  const auto payload = TextOf(root, "payload");
  const auto encoded = TextOf(root, "protected");
  const auto signature = TextOf(root, "signature");
  const auto header = root.Find("header");
  if (!payload || !encoded || !signature || !header || root.Find("signatures")) {
    return Malformed("not the flattened form");
  }
  auto payload_bytes = FromBase64Url(*payload);
  const auto protected_bytes = FromBase64Url(*encoded);
  auto signature_bytes = FromBase64Url(*signature);
  if (!payload_bytes || !protected_bytes || !signature_bytes) {
    return Malformed("a part that is not base64url without padding");
  }
  const auto read = ReadProtected(*protected_bytes);
  if (!read) return tl::unexpected(read.error());
  auto chain = ReadChain(*header, known);
  if (!chain) return tl::unexpected(chain.error());

  Envelope envelope{.signature_scheme = read->algorithm.scheme,
                    .hash = read->algorithm.hash,
                    .scheme = SigningScheme::kX509,
                    .signing_time = {},
                    .expiry = {},
                    .chain = *std::move(chain),
                    .payload = *std::move(payload_bytes),
                    .signature = *std::move(signature_bytes),
                    .covered = std::string(*encoded).append(".").append(*payload),
                    .timestamp = {}};
  if (const auto token = header->Find(kTimestampName)) {
    const auto text = token->AsString();
    auto der = text ? FromBase64(*text) : std::nullopt;
    // Kept as it is: whether a timestamp is wanted at all is the rule's matter.
    envelope.timestamp = der ? *std::move(der) : std::string("not base64");
  }
  if (auto applied = Apply(read->attributes, envelope); !applied) {
    return tl::unexpected(applied.error());
  }
  return envelope;
}

}  // namespace crivet::trust::notation
