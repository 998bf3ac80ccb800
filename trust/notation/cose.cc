// SPDX-License-Identifier: Apache-2.0

// The COSE envelope (Notary Project specification, "signature envelope COSE"; RFC 9052 4.2).

#include "trust/notation/cose.h"

#include <utility>

#include "trust/notation/attributes.h"
#include "trust/notation/cbor.h"

namespace crivet::trust::notation {
namespace {

constexpr std::int64_t kAlgorithmLabel = 1;
constexpr std::int64_t kCriticalLabel = 2;
constexpr std::int64_t kContentTypeLabel = 3;
constexpr std::int64_t kChainLabel = 33;
constexpr std::uint64_t kEpochTime = 1;
constexpr std::uint64_t kSign1 = 18;

tl::unexpected<SignatureError> Malformed(std::string detail) {
  return RefuseSignature(SignatureReason::kMalformed, "COSE: " + std::move(detail));
}

SignatureResult<TimePoint> TimeOf(const CborValue& value) {
  const auto* tagged = value.AsTagged();
  const auto seconds =
      tagged != nullptr && tagged->tag == kEpochTime ? tagged->value->AsInteger() : std::nullopt;
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  if (!seconds || *seconds < 0 || *seconds > kYear9999) return Malformed("a time that is none");
  return TimePoint(std::chrono::seconds(*seconds));
}

SignatureResult<void> ReadCritical(const CborValue& value, SignedAttributes& into) {
  const auto* array = value.AsArray();
  if (array == nullptr || array->empty()) return Malformed("crit");
  for (const CborValue& element : *array) {
    const auto text = element.AsText();
    // A label that is a number is one that notation does not have.
    if (!text) return Malformed("crit lists something that is not known or not there");
    into.critical.emplace_back(*text);
  }
  return {};
}

struct Protected {
  SignedAttributes attributes;
  Algorithm algorithm;
};

SignatureResult<void> ReadTimes(std::string_view name, const CborValue& value,
                                SignedAttributes& into) {
  const auto time = TimeOf(value);
  if (!time) return tl::unexpected(time.error());
  if (name == kTimeName) {
    into.signing_time = *time;
  } else if (name == kAuthenticTimeName) {
    into.authentic_time = *time;
  } else if (name == kExpiryName) {
    into.expiry = *time;
  } else {
    return Malformed("a protected label that is not known");
  }
  return {};
}

SignatureResult<Protected> ReadProtected(std::string_view bytes) {
  const auto read = ReadCbor(bytes);
  if (!read) return tl::unexpected(read.error());
  const auto* map = read->AsMap();
  if (map == nullptr) return Malformed("protected is not a map");
  SignedAttributes attributes;
  std::optional<Algorithm> algorithm;
  for (const auto& [key, value] : *map) {
    const auto* label = std::get_if<std::int64_t>(&key);
    const auto* name = std::get_if<CborValue::Text>(&key);
    if (label != nullptr && *label == kAlgorithmLabel && value.AsInteger()) {
      const auto found = AlgorithmByCose(*value.AsInteger());
      if (!found) return tl::unexpected(found.error());
      algorithm = *found;
    } else if (label != nullptr && *label == kContentTypeLabel && value.AsText()) {
      attributes.content_type = std::string(*value.AsText());
    } else if (label != nullptr && *label == kCriticalLabel) {
      if (auto critical = ReadCritical(value, attributes); !critical) {
        return tl::unexpected(critical.error());
      }
    } else if (name != nullptr && name->text == kSchemeName && value.AsText()) {
      attributes.scheme = std::string(*value.AsText());
    } else if (name != nullptr) {
      if (auto times = ReadTimes(name->text, value, attributes); !times) {
        return tl::unexpected(times.error());
      }
    } else {
      return Malformed("a protected label that is not known");
    }
  }
  if (!algorithm) return Malformed("no algorithm");
  return Protected{std::move(attributes), *algorithm};
}

// RFC 9360 2: one certificate alone, or an array of them.
SignatureResult<std::vector<Certificate>> ReadChain(const CborValue::Map& unprotected,
                                                    const ChainMemory* known) {
  const CborValue* value = Member(unprotected, kChainLabel);
  if (value == nullptr) return Malformed("no x5chain");
  std::vector<std::string_view> ders;
  if (const auto alone = value->AsBytes()) {
    ders.push_back(*alone);
  } else if (const auto* array = value->AsArray()) {
    for (const CborValue& element : *array) {
      const auto der = element.AsBytes();
      if (!der) return Malformed("x5chain");
      ders.push_back(*der);
    }
  } else {
    return Malformed("x5chain");
  }
  if (ders.size() > Envelope::kMaxChain) return Malformed("more than 10 certificates");
  std::vector<Certificate> chain;
  for (const std::string_view der : ders) {
    auto certificate = ReadCertificate(der, known);
    if (!certificate) return tl::unexpected(certificate.error());
    chain.push_back(*std::move(certificate));
  }
  return chain;
}

// RFC 9052 4.4, Sig_structure.
std::string Covered(std::string_view protected_bytes, std::string_view payload) {
  std::string text;
  AppendCborArray(text, 4);
  AppendCborText(text, "Signature1");
  AppendCborBytes(text, protected_bytes);
  AppendCborBytes(text, "");
  AppendCborBytes(text, payload);
  return text;
}

}  // namespace

SignatureResult<Envelope> ParseCose(std::string_view bytes, const ChainMemory* known) {
  if (bytes.size() > Envelope::kMaxSize) return Malformed("over 1 MiB");
  const auto read = ReadCbor(bytes);
  if (!read) return tl::unexpected(read.error());
  const auto* tagged = read->AsTagged();
  const auto* array =
      tagged != nullptr && tagged->tag == kSign1 ? tagged->value->AsArray() : nullptr;
  if (array == nullptr || array->size() != 4) return Malformed("not a COSE_Sign1");
  const auto protected_bytes = array->at(0).AsBytes();
  const auto* unprotected = array->at(1).AsMap();
  const auto payload = array->at(2).AsBytes();
  const auto signature = array->at(3).AsBytes();
  if (!protected_bytes || unprotected == nullptr || !payload || !signature) {
    return Malformed("not a COSE_Sign1 with its payload");
  }
  const auto attributes = ReadProtected(*protected_bytes);
  if (!attributes) return tl::unexpected(attributes.error());
  auto chain = ReadChain(*unprotected, known);
  if (!chain) return tl::unexpected(chain.error());
  Envelope envelope{.signature_scheme = attributes->algorithm.scheme,
                    .hash = attributes->algorithm.hash,
                    .scheme = SigningScheme::kX509,
                    .signing_time = {},
                    .expiry = {},
                    .chain = *std::move(chain),
                    .payload = std::string(*payload),
                    .signature = std::string(*signature),
                    .covered = Covered(*protected_bytes, *payload),
                    .timestamp = {}};
  if (const CborValue* token = Member(*unprotected, kTimestampName)) {
    envelope.timestamp = std::string(token->AsBytes().value_or("not bytes"));
  }
  if (auto applied = Apply(attributes->attributes, envelope); !applied) {
    return tl::unexpected(applied.error());
  }
  return envelope;
}

}  // namespace crivet::trust::notation
