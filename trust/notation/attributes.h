// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/notation/envelope.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

inline constexpr std::string_view kSchemeName = "io.cncf.notary.signingScheme";
inline constexpr std::string_view kTimeName = "io.cncf.notary.signingTime";
inline constexpr std::string_view kAuthenticTimeName = "io.cncf.notary.authenticSigningTime";
inline constexpr std::string_view kExpiryName = "io.cncf.notary.expiry";
inline constexpr std::string_view kTimestampName = "io.cncf.notary.timestampSignature";

/// SignedAttributes are those of either envelope, before the rules on them.
struct SignedAttributes {
  std::string content_type;
  std::string scheme;
  std::optional<TimePoint> signing_time;
  std::optional<TimePoint> authentic_time;
  std::optional<TimePoint> expiry;
  std::vector<std::string> critical;
};

/// Apply checks them and takes them over (Notary Project specification, "signed attributes"): the
/// payload's type; a scheme that is known, with its own time and no other; `crit` lists the scheme,
/// an authority's time and the expiry where they are there, each once and nothing else (RFC 7515
/// 4.1.11: what is critical and not understood refuses).
SignatureResult<void> Apply(const SignedAttributes& attributes, Envelope& envelope);

/// AlgorithmOf is a JWS algorithm's name, as both envelopes come to it; kAlgorithm for others.
struct Algorithm {
  std::string_view name;
  std::int64_t cose;
  SignatureScheme scheme;
  HashAlgorithm hash;
};
SignatureResult<Algorithm> AlgorithmByName(std::string_view name);
SignatureResult<Algorithm> AlgorithmByCose(std::int64_t id);

}  // namespace crivet::trust::notation
