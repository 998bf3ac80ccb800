// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/attributes.h"

#include <algorithm>

namespace crivet::trust::notation {
namespace {

constexpr Algorithm kAlgorithms[] = {
    {"ES256", -7, SignatureScheme::kEcdsaFixed, HashAlgorithm::kSha256},
    {"ES384", -35, SignatureScheme::kEcdsaFixed, HashAlgorithm::kSha384},
    {"ES512", -36, SignatureScheme::kEcdsaFixed, HashAlgorithm::kSha512},
    {"PS256", -37, SignatureScheme::kRsaPss, HashAlgorithm::kSha256},
    {"PS384", -38, SignatureScheme::kRsaPss, HashAlgorithm::kSha384},
    {"PS512", -39, SignatureScheme::kRsaPss, HashAlgorithm::kSha512},
};

constexpr std::string_view kPayloadType = "application/vnd.cncf.notary.payload.v1+json";
constexpr std::string_view kSchemeX509 = "notary.x509";
constexpr std::string_view kSchemeAuthority = "notary.x509.signingAuthority";

tl::unexpected<SignatureError> Malformed(std::string detail) {
  return RefuseSignature(SignatureReason::kMalformed, std::move(detail));
}

SignatureResult<void> CheckCritical(const SignedAttributes& attributes) {
  std::vector<std::string_view> wanted = {kSchemeName};
  if (attributes.authentic_time) wanted.push_back(kAuthenticTimeName);
  if (attributes.expiry) wanted.push_back(kExpiryName);
  for (const std::string_view name : wanted) {
    const auto count = std::count(attributes.critical.begin(), attributes.critical.end(), name);
    if (count != 1) return Malformed("crit does not list " + std::string(name) + " once");
  }
  if (attributes.critical.size() != wanted.size()) {
    return Malformed("crit lists something that is not known or not there");
  }
  return {};
}

}  // namespace

SignatureResult<void> Apply(const SignedAttributes& attributes, Envelope& envelope) {
  if (attributes.content_type != kPayloadType) {
    return Malformed("the envelope's content is not a notation payload");
  }
  std::optional<TimePoint> time;
  if (attributes.scheme == kSchemeX509) {
    envelope.scheme = SigningScheme::kX509;
    time = attributes.signing_time;
    if (attributes.authentic_time) return Malformed("an authority's time in another scheme");
  } else if (attributes.scheme == kSchemeAuthority) {
    envelope.scheme = SigningScheme::kSigningAuthority;
    time = attributes.authentic_time;
    if (attributes.signing_time) return Malformed("a signer's time in an authority's scheme");
  } else {
    return Malformed("a signing scheme that is not known");
  }
  if (!time) return Malformed("no signing time");
  if (auto critical = CheckCritical(attributes); !critical) return critical;
  envelope.signing_time = *time;
  envelope.expiry = attributes.expiry;
  if (envelope.expiry && *envelope.expiry <= envelope.signing_time) {
    return Malformed("it expires before it was signed");
  }
  return {};
}

SignatureResult<Algorithm> AlgorithmByName(std::string_view name) {
  for (const Algorithm& known : kAlgorithms) {
    if (known.name == name) return known;
  }
  return RefuseSignature(SignatureReason::kAlgorithm, "an algorithm that notation does not allow");
}

SignatureResult<Algorithm> AlgorithmByCose(std::int64_t id) {
  for (const Algorithm& known : kAlgorithms) {
    if (known.cose == id) return known;
  }
  return RefuseSignature(SignatureReason::kAlgorithm, "an algorithm that notation does not allow");
}

}  // namespace crivet::trust::notation
