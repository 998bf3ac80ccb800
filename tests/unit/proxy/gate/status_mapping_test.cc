// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/status_mapping.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>

namespace crivet::proxy {
namespace {

struct Row {
  const char* code;
  trust::Reason reason;
  const char* text;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.code; }

// The whole set, word for word: kubelet acts on the first word, alerts and people on the last.
const Row kRows[] = {
    {"tag-not-signed", trust::Reason::kTagNotSigned,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", tag-not-signed]"},
    {"digest-not-signed", trust::Reason::kDigestNotSigned,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", digest-not-signed]"},
    {"digest-mismatch", trust::Reason::kDigestMismatch,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", digest-mismatch]"},
    {"signers-disagree", trust::Reason::kSignersDisagree,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", signers-disagree]"},
    {"denied", trust::Reason::kDenied,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", denied]"},
    {"not-a-reference", trust::Reason::kNotAReference,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", not-a-reference]"},
    {"untrusted-root", trust::Reason::kUntrustedRoot,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", untrusted-root]"},
    {"signature", trust::Reason::kSignature,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", signature]"},
    {"threshold", trust::Reason::kThreshold,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", threshold]"},
    {"hash", trust::Reason::kHash,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", hash]"},
    {"rollback", trust::Reason::kRollback,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", rollback]"},
    {"malformed", trust::Reason::kMalformed,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", malformed]"},
    {"withdrawn", trust::Reason::kWithdrawn,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", withdrawn]"},
    {"unsigned", trust::Reason::kUnsigned,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", unsigned]"},
    {"not-an-image-signature", trust::Reason::kNotAnImageSignature,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", "
     "not-an-image-signature]"},
    {"algorithm", trust::Reason::kAlgorithm,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", algorithm]"},
    {"identity", trust::Reason::kIdentity,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", identity]"},
    {"transparency-log", trust::Reason::kTransparencyLog,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", transparency-log]"},
    {"timestamp", trust::Reason::kTimestamp,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", timestamp]"},
    {"signature-expired", trust::Reason::kSignatureExpired,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", signature-expired]"},
    {"revoked", trust::Reason::kRevoked,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", revoked]"},
    {"too-old", trust::Reason::kTooOld,
     "SignatureValidationFailed: docker.io/acme/web:2.1: found [rule \"acme\", too-old]"},
    {"expired", trust::Reason::kExpired,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", expired]"},
    {"no-trust-data", trust::Reason::kNoTrustData,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", no-trust-data]"},
    {"unreachable", trust::Reason::kUnreachable,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", unreachable]"},
    {"too-many", trust::Reason::kTooMany,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", too-many]"},
    {"revocation", trust::Reason::kRevocation,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", revocation]"},
    {"state", trust::Reason::kState,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", state]"},
    {"clock", trust::Reason::kClock,
     "RegistryUnavailable: docker.io/acme/web:2.1: found [rule \"acme\", clock]"},
};
static_assert(std::size(kRows) == std::size(trust::kAllReasons));

trust::Decision DecisionWith(trust::Verdict verdict) {
  auto rule = std::make_shared<trust::Rule>();
  rule->name = "acme";
  return {std::move(verdict), {rule, {}}, {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(StatusMappingTest)

BOOST_DATA_TEST_CASE(Reason_HasItsStatusAndText, boost::unit_test::data::make(kRows), row) {
  const auto status =
      StatusFor(DecisionWith(trust::Refusal(row.reason, "found")), "docker.io/acme/web:2.1");
  // kubelet strips the code, and then knows the word, of UNKNOWN alone.
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message() == row.text);
  BOOST_TEST(status.error_details().empty());
}

BOOST_AUTO_TEST_CASE(Allow_IsOk) {
  BOOST_TEST(StatusFor(DecisionWith(trust::Allow{}), "docker.io/acme/web:2.1").ok());
}

BOOST_AUTO_TEST_CASE(SameDecision_IsTheSameBytes) {
  const auto decision = DecisionWith(trust::Refusal(trust::Reason::kExpired, "expired at noon"));
  BOOST_TEST(StatusFor(decision, "a/b:1").error_message() ==
             StatusFor(decision, "a/b:1").error_message());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
