// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"
#include "trust/signed/verification_key.h"

namespace crivet::trust::notation {

/// SigningScheme is whose word on the time is in the signature (Notary Project specification,
/// "signing scheme").
enum class SigningScheme : std::uint8_t { kX509, kSigningAuthority };

/// Envelope is a notation signature as it stands in its file, JWS or COSE. Its shape is right, and
/// its signed attributes are the specification's and no others; nothing of it is verified.
struct Envelope {
  static constexpr std::size_t kMaxSize = 1024 * 1024;
  static constexpr std::size_t kMaxChain = 10;

  SignatureScheme signature_scheme;
  HashAlgorithm hash;
  SigningScheme scheme;
  TimePoint signing_time;  ///< an authority's with its scheme; otherwise whatever the signer wrote
  std::optional<TimePoint> expiry;
  std::vector<Certificate> chain;  ///< leaf first, as it stands there
  std::string payload;
  std::string signature;
  std::string covered;    ///< the bytes that the signature covers
  std::string timestamp;  ///< an RFC 3161 token; empty where there is none
};

}  // namespace crivet::trust::notation
