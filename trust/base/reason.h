// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace crivet::trust {

/// Answer says which of the three verdicts a reason belongs to. There is no fourth.
enum class Answer : std::uint8_t { kAllow, kDeny, kUnavailable };

/// Reason is the closed set of codes why something is refused (trust/RULES.md#reasons). The same
/// code appears in the error that kubelet shows, the audit line, the metric label and the JSON of
/// the command line. Errors of the trust core are reasons too, so nothing has to be translated on
/// the way out.
enum class Reason : std::uint8_t {
  // Deny: the evidence is there and speaks against the image.
  kTagNotSigned,
  kDigestNotSigned,
  kDigestMismatch,
  kSignersDisagree,
  kDenied,
  kNotAReference,
  kUntrustedRoot,
  kSignature,
  kThreshold,
  kHash,
  kRollback,
  kMalformed,
  kWithdrawn,
  // Unavailable: the evidence is missing or too old to speak.
  kExpired,
  kNoTrustData,
  kUnreachable,
  kState,
  kClock,
};

inline constexpr Reason kAllReasons[] = {
    Reason::kTagNotSigned,   Reason::kDigestNotSigned,
    Reason::kDigestMismatch, Reason::kSignersDisagree,
    Reason::kDenied,         Reason::kNotAReference,
    Reason::kUntrustedRoot,  Reason::kSignature,
    Reason::kThreshold,      Reason::kHash,
    Reason::kRollback,       Reason::kMalformed,
    Reason::kWithdrawn,      Reason::kExpired,
    Reason::kNoTrustData,    Reason::kUnreachable,
    Reason::kState,          Reason::kClock,
};

/// CodeOf is the reason's name on every surface, e.g. "tag-not-signed".
constexpr std::string_view CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kTagNotSigned:
      return "tag-not-signed";
    case Reason::kDigestNotSigned:
      return "digest-not-signed";
    case Reason::kDigestMismatch:
      return "digest-mismatch";
    case Reason::kSignersDisagree:
      return "signers-disagree";
    case Reason::kDenied:
      return "denied";
    case Reason::kNotAReference:
      return "not-a-reference";
    case Reason::kUntrustedRoot:
      return "untrusted-root";
    case Reason::kSignature:
      return "signature";
    case Reason::kThreshold:
      return "threshold";
    case Reason::kHash:
      return "hash";
    case Reason::kRollback:
      return "rollback";
    case Reason::kMalformed:
      return "malformed";
    case Reason::kWithdrawn:
      return "withdrawn";
    case Reason::kExpired:
      return "expired";
    case Reason::kNoTrustData:
      return "no-trust-data";
    case Reason::kUnreachable:
      return "unreachable";
    case Reason::kState:
      return "state";
    case Reason::kClock:
      return "clock";
  }
  return "malformed";
}

/// AnswerFor tells whether a reason denies or only cannot tell (trust/RULES.md#reasons).
constexpr Answer AnswerFor(Reason reason) {
  switch (reason) {
    case Reason::kTagNotSigned:
    case Reason::kDigestNotSigned:
    case Reason::kDigestMismatch:
    case Reason::kSignersDisagree:
    case Reason::kDenied:
    case Reason::kNotAReference:
    case Reason::kUntrustedRoot:
    case Reason::kSignature:
    case Reason::kThreshold:
    case Reason::kHash:
    case Reason::kRollback:
    case Reason::kMalformed:
    case Reason::kWithdrawn:
      return Answer::kDeny;
    case Reason::kExpired:
    case Reason::kNoTrustData:
    case Reason::kUnreachable:
    case Reason::kState:
    case Reason::kClock:
      return Answer::kUnavailable;
  }
  return Answer::kDeny;
}

/// NetworkCause is why a server could not be asked, as one word of a closed set: kubelet merges
/// errors only when they are the same bytes, so no address, count or library text may follow it.
enum class NetworkCause : std::uint8_t {
  kUnreachable,
  kTimeout,
  kTls,
  kCredentialsRefused,
  kServerError,
};

constexpr std::string_view WordOf(NetworkCause cause) {
  switch (cause) {
    case NetworkCause::kUnreachable:
      return "unreachable";
    case NetworkCause::kTimeout:
      return "timeout";
    case NetworkCause::kTls:
      return "tls";
    case NetworkCause::kCredentialsRefused:
      return "credentials-refused";
    case NetworkCause::kServerError:
      return "server-error";
  }
  return "unreachable";
}

}  // namespace crivet::trust
