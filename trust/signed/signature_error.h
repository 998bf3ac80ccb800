// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "trust/base/result.h"

namespace crivet::trust {

/// SignatureReason is the closed set of codes why a signature of an image is refused, a part of
/// Reason's.
enum class SignatureReason : std::uint8_t {
  kUnsigned,
  kMalformed,
  kHash,
  kNotAnImageSignature,
  kAlgorithm,
  kSignature,
  kIdentity,
  kUntrustedRoot,
  kTransparencyLog,
  kTimestamp,
  kSignatureExpired,
  kTooOld,
  kRevoked,
  kRevocation,
  kDigestMismatch,
};

/// CodeOf is the reason's name, e.g. "not-an-image-signature".
constexpr std::string_view CodeOf(SignatureReason reason) {
  switch (reason) {
    case SignatureReason::kUnsigned:
      return "unsigned";
    case SignatureReason::kMalformed:
      return "malformed";
    case SignatureReason::kHash:
      return "hash";
    case SignatureReason::kNotAnImageSignature:
      return "not-an-image-signature";
    case SignatureReason::kAlgorithm:
      return "algorithm";
    case SignatureReason::kSignature:
      return "signature";
    case SignatureReason::kIdentity:
      return "identity";
    case SignatureReason::kUntrustedRoot:
      return "untrusted-root";
    case SignatureReason::kTransparencyLog:
      return "transparency-log";
    case SignatureReason::kTimestamp:
      return "timestamp";
    case SignatureReason::kSignatureExpired:
      return "signature-expired";
    case SignatureReason::kTooOld:
      return "too-old";
    case SignatureReason::kRevoked:
      return "revoked";
    case SignatureReason::kRevocation:
      return "revocation";
    case SignatureReason::kDigestMismatch:
      return "digest-mismatch";
  }
  return "malformed";
}

/// SignatureError is why a signature, or a part of one, is refused. `reason` is the contract;
/// `detail` is for people, may change, and holds nothing secret.
struct SignatureError {
  SignatureError(SignatureReason the_reason, std::string the_detail)
      : reason(the_reason), detail(std::move(the_detail)) {}
  /// What the readers of the core cannot read is malformed here.
  SignatureError(Error error)  // NOLINT(google-explicit-constructor): to be returned as it is
      : reason(SignatureReason::kMalformed), detail(std::move(error.detail)) {}

  SignatureReason reason;
  std::string detail;
};

template <typename T>
using SignatureResult = tl::expected<T, SignatureError>;

inline tl::unexpected<SignatureError> RefuseSignature(SignatureReason reason, std::string detail) {
  return tl::unexpected<SignatureError>(SignatureError(reason, std::move(detail)));
}

}  // namespace crivet::trust
