// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
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
  kUnsigned,
  kNotAnImageSignature,
  kAlgorithm,
  kIdentity,
  kTransparencyLog,
  kTimestamp,
  kSignatureExpired,
  kRevoked,
  kTooOld,
  // Unavailable: the evidence is missing or too old to speak.
  kExpired,
  kNoTrustData,
  kUnreachable,
  kTooMany,
  kRevocation,
  kState,
  kClock,
};

/// ReasonRow is all that is fixed of one reason.
struct ReasonRow {
  Reason reason;
  std::string_view code;  ///< its name on every surface
  Answer answer;          ///< whether it denies or only cannot tell (trust/RULES.md#reasons)
};

/// In the order of the enumeration.
inline constexpr ReasonRow kReasonRows[] = {
    {Reason::kTagNotSigned, "tag-not-signed", Answer::kDeny},
    {Reason::kDigestNotSigned, "digest-not-signed", Answer::kDeny},
    {Reason::kDigestMismatch, "digest-mismatch", Answer::kDeny},
    {Reason::kSignersDisagree, "signers-disagree", Answer::kDeny},
    {Reason::kDenied, "denied", Answer::kDeny},
    {Reason::kNotAReference, "not-a-reference", Answer::kDeny},
    {Reason::kUntrustedRoot, "untrusted-root", Answer::kDeny},
    {Reason::kSignature, "signature", Answer::kDeny},
    {Reason::kThreshold, "threshold", Answer::kDeny},
    {Reason::kHash, "hash", Answer::kDeny},
    {Reason::kRollback, "rollback", Answer::kDeny},
    {Reason::kMalformed, "malformed", Answer::kDeny},
    {Reason::kWithdrawn, "withdrawn", Answer::kDeny},
    {Reason::kUnsigned, "unsigned", Answer::kDeny},
    {Reason::kNotAnImageSignature, "not-an-image-signature", Answer::kDeny},
    {Reason::kAlgorithm, "algorithm", Answer::kDeny},
    {Reason::kIdentity, "identity", Answer::kDeny},
    {Reason::kTransparencyLog, "transparency-log", Answer::kDeny},
    {Reason::kTimestamp, "timestamp", Answer::kDeny},
    {Reason::kSignatureExpired, "signature-expired", Answer::kDeny},
    {Reason::kRevoked, "revoked", Answer::kDeny},
    {Reason::kTooOld, "too-old", Answer::kDeny},
    {Reason::kExpired, "expired", Answer::kUnavailable},
    {Reason::kNoTrustData, "no-trust-data", Answer::kUnavailable},
    {Reason::kUnreachable, "unreachable", Answer::kUnavailable},
    {Reason::kTooMany, "too-many", Answer::kUnavailable},
    {Reason::kRevocation, "revocation", Answer::kUnavailable},
    {Reason::kState, "state", Answer::kUnavailable},
    {Reason::kClock, "clock", Answer::kUnavailable},
};

inline constexpr auto kAllReasons = [] {
  std::array<Reason, std::size(kReasonRows)> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = kReasonRows[i].reason;
  return all;
}();

static_assert(
    std::size(kReasonRows) == static_cast<std::size_t>(Reason::kClock) + 1 &&
        [] {
          for (std::size_t i = 0; i < kAllReasons.size(); ++i) {
            if (static_cast<std::size_t>(kAllReasons[i]) != i) return false;
          }
          return true;
        }(),
    "each reason has its row, in order");

constexpr std::string_view CodeOf(Reason reason) {
  return kReasonRows[static_cast<std::size_t>(reason)].code;
}

constexpr Answer AnswerFor(Reason reason) {
  return kReasonRows[static_cast<std::size_t>(reason)].answer;
}

/// WordOf an answer is its name on every surface.
constexpr std::string_view WordOf(Answer answer) {
  switch (answer) {
    case Answer::kAllow:
      return "allow";
    case Answer::kDeny:
      return "deny";
    case Answer::kUnavailable:
      return "unavailable";
  }
  return "deny";
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
