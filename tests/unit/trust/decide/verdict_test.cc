// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/verdict.h"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "trust/decide/finding.h"

namespace crivet::trust {
namespace {

const TimePoint kExpires = ParseRfc3339("2029-11-20T09:12:00Z").value();
const TimePoint kExpired = ParseRfc3339("2026-11-23T20:00:00Z").value();
const std::string kHexA(64, 'a');
const std::string kHexB(64, 'b');

Sha256Digest Digest(const std::string& hex) { return Sha256Digest::FromHex(hex).value(); }
CollectionId Acme() { return {"a kind", "https://notary.acme.example", "docker.io/acme/web"}; }

SignedPart Signed(std::string name, std::int64_t version) {
  return {std::move(name), version, kExpires, {}, 1};
}
SignedPart Unsigned(std::string name) { return {std::move(name), 0, {}, {}, 1}; }
SignedPart Undelegated(std::string name) { return {std::move(name), 0, {}, {}, 0}; }

Evidence Asked(std::vector<SignedPart> parts) {
  Evidence evidence;
  for (SignedPart& part : parts) {
    evidence.parts.push_back(std::make_shared<const SignedPart>(std::move(part)));
  }
  evidence.asked_end = evidence.parts.size();
  return evidence;
}

RefreshFailure Failure(Reason reason, std::string detail) {
  RefreshFailure failure;
  failure.error = {reason, std::move(detail)};
  return failure;
}
RefreshFailure Away(NetworkCause cause) {
  RefreshFailure failure = Failure(Reason::kUnreachable, "connect to 192.0.2.1 port 443: refused");
  failure.cause = cause;
  return failure;
}
RefreshFailure NotFound() {
  RefreshFailure failure = Failure(Reason::kNoTrustData, "404");
  failure.not_found = true;
  return failure;
}

enum class Whose { kRule, kDefault };

Decision Decided(Verdict verdict, Whose whose = Whose::kRule) {
  Rule rule;
  rule.name = whose == Whose::kRule ? "acme" : "default";
  rule.is_default = whose == Whose::kDefault;
  return {std::move(verdict), {std::make_shared<const Rule>(rule), {}}, {}};
}

struct Row {
  std::string name;
  Reason reason;
  Verdict verdict;
  std::string message;
  Whose whose = Whose::kRule;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

constexpr std::string_view kAsked = "docker.io/acme/web:2.1";

std::vector<Row> Rows() {
  const std::string deny = "SignatureValidationFailed: docker.io/acme/web:2.1: ";
  const std::string unavailable = "RegistryUnavailable: docker.io/acme/web:2.1: ";
  const RefreshFailure rollback =
      Failure(Reason::kRollback, "targets is version 3, version 5 was verified before");
  const RefreshFailure away = Away(NetworkCause::kUnreachable);
  Rule rule;
  Rule fallback;
  fallback.is_default = true;
  const auto bad = [&](Reason reason) {
    return Row{"server serves " + std::string(CodeOf(reason)), reason,
               NoUsableSet(Acme(), Failure(reason, "targets: as was found")),
               deny +
                   "what https://notary.acme.example serves does not verify: targets: as was "
                   "found [rule \"acme\", " +
                   std::string(CodeOf(reason)) + "]"};
  };
  return {
      {"tag not signed", Reason::kTagNotSigned, TagNotSigned(Asked({Signed("targets", 87)})),
       deny + "tag is not signed (targets version 87, expires 2029-11-20T09:12:00Z) [rule "
              "\"acme\", tag-not-signed]"},
      {"tag not signed, two roles", Reason::kTagNotSigned,
       TagNotSigned(Asked({Signed("targets/releases", 12), Signed("targets", 87)})),
       deny + "tag is not signed (targets/releases version 12, expires 2029-11-20T09:12:00Z; "
              "targets version 87, expires 2029-11-20T09:12:00Z) [rule \"acme\", tag-not-signed]"},
      {"tag not signed, one role of two has metadata", Reason::kTagNotSigned,
       TagNotSigned(Asked({Unsigned("targets/releases"), Signed("targets", 87)})),
       deny + "tag is not signed (targets version 87, expires 2029-11-20T09:12:00Z) [rule "
              "\"acme\", tag-not-signed]"},
      {"tag not signed, no role has metadata", Reason::kTagNotSigned,
       TagNotSigned(Asked({Unsigned("targets/releases"), Unsigned("targets/ci")})),
       deny + "tag is not signed (nothing is signed by targets/releases, targets/ci) [rule "
              "\"acme\", tag-not-signed]"},
      {"tag not signed, nobody delegates the roles", Reason::kTagNotSigned,
       TagNotSigned(Asked({Undelegated("targets/releases"), Undelegated("targets/ci")})),
       deny + "tag is not signed (nobody delegates targets/releases, targets/ci) [rule "
              "\"acme\", tag-not-signed]"},
      {"digest not signed", Reason::kDigestNotSigned, DigestNotSigned(),
       deny + "digest is not the digest of any signed tag [rule \"acme\", digest-not-signed]"},
      {"tag and digest", Reason::kDigestMismatch, DigestMismatch(Digest(kHexA)),
       deny + "tag is signed for another digest, sha256:" + kHexA +
           " [rule \"acme\", digest-mismatch]"},
      {"other image on the node", Reason::kDigestMismatch,
       LocalMismatch(Digest(kHexA), Digest(kHexB)),
       deny + "the image on this node is sha256:" + kHexA + ", not sha256:" + kHexB +
           " [rule \"acme\", digest-mismatch]"},
      {"signers disagree", Reason::kSignersDisagree,
       SignersDisagree(Digest(kHexA),
                       {{"targets/alice", std::nullopt}, {"targets/ci", Digest(kHexB)}}),
       deny + "signers do not agree on sha256:" + kHexA +
           ": targets/alice has not signed the tag, targets/ci signed sha256:" + kHexB +
           " [rule \"acme\", signers-disagree]"},
      {"deny rule", Reason::kDenied, Denied(rule),
       deny + "refused by a deny rule [rule \"acme\", denied]"},
      {"default", Reason::kDenied, Denied(fallback),
       deny + "refused by the default [default, denied]", Whose::kDefault},
      {"not a reference", Reason::kNotAReference, NotAReference(),
       deny + "not an image reference [default, not-a-reference]", Whose::kDefault},
      {"untrusted root", Reason::kUntrustedRoot, UntrustedRoot(Acme()),
       deny + "no root of docker.io/acme/web is one that the rule pins [rule \"acme\", "
              "untrusted-root]"},
      bad(Reason::kUntrustedRoot),
      bad(Reason::kSignature),
      bad(Reason::kThreshold),
      bad(Reason::kHash),
      bad(Reason::kRollback),
      bad(Reason::kMalformed),
      {"withdrawn", Reason::kWithdrawn, Withdrawn(Asked({Signed("targets", 88)})),
       deny + "tag was verified here and has been withdrawn since (targets version 88, expires "
              "2029-11-20T09:12:00Z) [rule \"acme\", withdrawn]"},
      {"expired", Reason::kExpired, Expired(Acme(), kExpired, nullptr),
       unavailable + "trust metadata expired at 2026-11-23T20:00:00Z [rule \"acme\", expired]"},
      {"expired and away", Reason::kExpired, Expired(Acme(), kExpired, &away),
       unavailable + "trust metadata expired at 2026-11-23T20:00:00Z and "
                     "https://notary.acme.example cannot be reached (unreachable) [rule \"acme\", "
                     "expired]"},
      {"expired and nothing newer", Reason::kExpired,
       Expired(Acme(), kExpired,
               [] {
                 static const RefreshFailure failure =
                     Failure(Reason::kExpired, "timestamp expired at 2026-11-23T20:00:00Z");
                 return &failure;
               }()),
       unavailable + "trust metadata expired at 2026-11-23T20:00:00Z and "
                     "https://notary.acme.example has only expired metadata: timestamp expired at "
                     "2026-11-23T20:00:00Z [rule \"acme\", expired]"},
      {"expired and what is new is bad", Reason::kRollback, Expired(Acme(), kExpired, &rollback),
       deny + "trust metadata expired at 2026-11-23T20:00:00Z and what "
              "https://notary.acme.example serves does not verify: targets is version 3, version "
              "5 was verified before [rule \"acme\", rollback]"},
      {"no collection", Reason::kNoTrustData, NoCollection("gun"),
       unavailable + "the rule's gun makes no repository of this name [rule \"acme\", "
                     "no-trust-data]"},
      {"not read yet", Reason::kNoTrustData, NotReadYet(Acme()),
       unavailable + "no trust metadata of docker.io/acme/web has been read yet [rule \"acme\", "
                     "no-trust-data]"},
      {"server does not know it", Reason::kNoTrustData, NoUsableSet(Acme(), NotFound()),
       unavailable + "https://notary.acme.example has no trust metadata for docker.io/acme/web "
                     "[rule \"acme\", no-trust-data]"},
      {"unreachable", Reason::kUnreachable, NoUsableSet(Acme(), Away(NetworkCause::kTimeout)),
       unavailable + "https://notary.acme.example cannot be reached (timeout) [rule \"acme\", "
                     "unreachable]"},
      {"state", Reason::kState, NoUsableSet(Acme(), Failure(Reason::kState, "the disk is full")),
       unavailable + "the disk is full [rule \"acme\", state]"},
      {"clock", Reason::kClock, Refusal(Reason::kClock, "the clock is wrong"),
       unavailable + "the clock is wrong [rule \"acme\", clock]"},
      {"unsigned", Reason::kUnsigned, Refusal(Reason::kUnsigned, "sha256:aa has no signature"),
       deny + "sha256:aa has no signature [rule \"acme\", unsigned]"},
      {"not-an-image-signature", Reason::kNotAnImageSignature,
       Refusal(Reason::kNotAnImageSignature, "sha256:aa has an attestation"),
       deny + "sha256:aa has an attestation [rule \"acme\", not-an-image-signature]"},
      {"algorithm", Reason::kAlgorithm, Refusal(Reason::kAlgorithm, "the key is too short"),
       deny + "the key is too short [rule \"acme\", algorithm]"},
      {"identity", Reason::kIdentity, Refusal(Reason::kIdentity, "somebody else signed"),
       deny + "somebody else signed [rule \"acme\", identity]"},
      {"transparency-log", Reason::kTransparencyLog,
       Refusal(Reason::kTransparencyLog, "no log has it"),
       deny + "no log has it [rule \"acme\", transparency-log]"},
      {"timestamp", Reason::kTimestamp, Refusal(Reason::kTimestamp, "nobody says when"),
       deny + "nobody says when [rule \"acme\", timestamp]"},
      {"signature-expired", Reason::kSignatureExpired,
       Refusal(Reason::kSignatureExpired, "the signature expired"),
       deny + "the signature expired [rule \"acme\", signature-expired]"},
      {"too-old", Reason::kTooOld, Refusal(Reason::kTooOld, "signed long ago"),
       deny + "signed long ago [rule \"acme\", too-old]"},
      {"revoked", Reason::kRevoked, Refusal(Reason::kRevoked, "CN=Acme was revoked"),
       deny + "CN=Acme was revoked [rule \"acme\", revoked]"},
      {"revocation", Reason::kRevocation, Refusal(Reason::kRevocation, "the list is too old"),
       unavailable + "the list is too old [rule \"acme\", revocation]"},
      {"too many", Reason::kTooMany, Refusal(Reason::kTooMany, "too much lies beside sha256:aa"),
       unavailable + "too much lies beside sha256:aa [rule \"acme\", too-many]"},
  };
}

BOOST_AUTO_TEST_SUITE(VerdictTest)

BOOST_DATA_TEST_CASE(RefusalMessage_IsWhatKubeletReads, Rows(), row) {
  BOOST_TEST(RefusalMessage(Decided(row.verdict, row.whose), kAsked) == row.message);
}

BOOST_AUTO_TEST_CASE(RefusalMessage_EveryReasonHasItsText) {
  const std::vector<Row> rows = Rows();
  for (const Reason reason : kAllReasons) {
    BOOST_TEST_CONTEXT(CodeOf(reason)) {
      BOOST_CHECK(std::any_of(rows.begin(), rows.end(),
                              [reason](const Row& row) { return row.reason == reason; }));
    }
  }
}

BOOST_AUTO_TEST_CASE(RefusalMessage_Allow_IsEmpty) {
  BOOST_TEST(RefusalMessage(Decided(Allow{Digest(kHexA)}), kAsked).empty());
}

BOOST_AUTO_TEST_CASE(RefusalMessage_OddText_StaysOneShortLine) {
  const std::string message =
      RefusalMessage(Decided(NotAReference()), "a\nb\x1b[31m\xc3\xa9" + std::string(5000, 'x'));
  BOOST_TEST(message.starts_with("SignatureValidationFailed: a?b?[31m??xxx"));
  BOOST_TEST(message.size() < 700u);
  BOOST_TEST(message.ends_with("...: not an image reference [rule \"acme\", not-a-reference]"));
}

BOOST_AUTO_TEST_CASE(RefusalMessage_NamesNoAddress) {
  const std::string message =
      RefusalMessage(Decided(NoUsableSet(Acme(), Away(NetworkCause::kUnreachable))), kAsked);
  BOOST_TEST(message.find("192.0.2.1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(Refusal_EveryReason_HasTheVerdictOfItsKind) {
  for (const Reason reason : kAllReasons) {
    const Verdict verdict = Refusal(reason, "found");
    BOOST_TEST_CONTEXT(CodeOf(reason)) {
      BOOST_CHECK(std::holds_alternative<Deny>(verdict) == (AnswerFor(reason) == Answer::kDeny));
      BOOST_CHECK(std::holds_alternative<Unavailable>(verdict) ==
                  (AnswerFor(reason) == Answer::kUnavailable));
    }
  }
}

BOOST_AUTO_TEST_CASE(WithNote_AddsToARefusalAlone) {
  const Verdict noted = WithNote(Refusal(Reason::kExpired, "found"), RecordTooOld(kExpired));
  BOOST_TEST(std::get<Unavailable>(noted).found ==
             "found; what this node verified itself counted until 2026-11-23T20:00:00Z "
             "(present_max_age)");
  BOOST_CHECK(std::holds_alternative<Allow>(WithNote(Allow{}, "note")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
