// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust {

/// VerifiedTimestamp is when an authority saw some bytes (RFC 3161 2.4.2). `time` is cut to the
/// second; what was cut is in `accuracy`.
struct VerifiedTimestamp {
  TimePoint time;
  std::chrono::seconds accuracy{0};  ///< rounded up; 0 where the token does not say
  Certificate signer;
};

/// TokenOf is the token inside of a TimeStampResp (RFC 3161 2.4.2): kTimestamp unless it says
/// granted, with or without modifications.
SignatureResult<std::string> TokenOf(std::string_view response);

/// VerifyTimestamp checks a token over `stamped`: the imprint is the SHA-256, SHA-384 or SHA-512 of
/// these bytes; the CMS signature; the signer's certificate, out of the token or of `known`, has
/// timeStamping as its only purpose, critical, and is the one that the token names (RFC 5816); a
/// path leads from it over the token's certificates and `known` to one of `anchors`, valid at the
/// time that the token says and not at any other. kTimestamp for everything else. Pure, safe from
/// any thread.
SignatureResult<VerifiedTimestamp> VerifyTimestamp(std::string_view token, std::string_view stamped,
                                                   const std::vector<Certificate>& known,
                                                   const CertificateSet& anchors);

}  // namespace crivet::trust
