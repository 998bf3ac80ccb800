// SPDX-License-Identifier: Apache-2.0
#include "trust/base/fetch_cause.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "trust/base/quoted.h"

namespace crivet::trust {
namespace {

using Kind = FetchCause::Kind;

FetchCause StatusOf(int status) {
  return {.kind = Kind::kStatus, .host = "notary.example", .status = status};
}

BOOST_AUTO_TEST_SUITE(FetchCauseTest)

BOOST_AUTO_TEST_CASE(Status_IsNamedWithWhatFollowsFromIt) {
  BOOST_TEST(Explained(StatusOf(405)) ==
             "notary.example answers with status 405, content trust is not enabled there");
  BOOST_TEST(RemedyFor(StatusOf(405)).find("enable content trust") == 0U);
  FetchCause busy = StatusOf(429);
  busy.retry_after = std::chrono::seconds(120);
  BOOST_TEST(Explained(busy) ==
             "notary.example answers with status 429, too many requests; it asks for a pause of "
             "120 s");
  FetchCause refused = StatusOf(403);
  refused.said = "DENIED: blocked by policy";
  refused.asked_as = "without credentials: auth = \"none\"";
  BOOST_TEST(Explained(refused) ==
             "notary.example answers with status 403, access is refused, and says \"DENIED: "
             "blocked by policy\"; asked without credentials: auth = \"none\"");
}

BOOST_AUTO_TEST_CASE(EveryStatusAndKind_HasAnExplanationAndARemedy) {
  for (int status = 100; status < 600; ++status) {
    BOOST_TEST(Explained(StatusOf(status)).find(std::to_string(status)) != std::string::npos);
    BOOST_TEST(!RemedyFor(StatusOf(status)).empty());
  }
  for (int kind = 0; kind <= static_cast<int>(Kind::kConnection); ++kind) {
    const FetchCause cause{.kind = static_cast<Kind>(kind), .host = "h", .said = "words"};
    BOOST_TEST(!Explained(cause).empty());
    BOOST_TEST(!RemedyFor(cause).empty());
  }
}

BOOST_AUTO_TEST_CASE(Word_IsOfTheClosedSet) {
  BOOST_TEST(WordOf(WordFor(StatusOf(401))) == "credentials-refused");
  BOOST_TEST(WordOf(WordFor(StatusOf(403))) == "credentials-refused");
  BOOST_TEST(WordOf(WordFor(StatusOf(405))) == "server-error");
  FetchCause token = StatusOf(403);
  token.asked = FetchCause::Asked::kTokenServer;
  BOOST_TEST(WordOf(WordFor(token)) == "server-error");
  BOOST_TEST(WordOf(WordFor({.kind = Kind::kTls})) == "tls");
  BOOST_TEST(WordOf(WordFor({.kind = Kind::kNoAddress})) == "unreachable");
}

BOOST_AUTO_TEST_CASE(OtherCredentials_HelpWhereTheyWereRefused_NotWhereTheyCannotBeSent) {
  BOOST_TEST(LacksCredentials(StatusOf(401)));
  BOOST_TEST(LacksCredentials({.kind = Kind::kTokenRefused}));
  BOOST_TEST(LacksCredentials({.kind = Kind::kAuthFile}));
  BOOST_TEST(!LacksCredentials({.kind = Kind::kRealmNotHttps}));
  BOOST_TEST(!LacksCredentials({.kind = Kind::kRealmElsewhere}));
  BOOST_TEST(!LacksCredentials(StatusOf(405)));
}

BOOST_AUTO_TEST_CASE(NumbersInTheWords_AreNoNews) {
  FetchCause a{.kind = Kind::kTimeout, .host = "h", .said = "timed out after 5001 ms"};
  FetchCause b = a;
  b.said = "timed out after 5003 ms";
  BOOST_TEST(SameToPeople(a, b));
  BOOST_TEST(!SameToPeople(StatusOf(500), StatusOf(503)));
}

BOOST_AUTO_TEST_CASE(Quoted_IsOneShortLineOfPlainText) {
  BOOST_TEST(Quoted("  a\r\n\tb \"c\" \x1b[31m\xc3\xa9 ") == "a b ?c? ?[31m??");
  BOOST_TEST(Quoted(std::string(5000, 'x')).size() == 203U);
  BOOST_TEST(Quoted("").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
