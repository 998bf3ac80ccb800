// SPDX-License-Identifier: Apache-2.0

// Notary's own client as the oracle: both clients are asked the same, of the real server and of a
// server of ours that can be damaged, and trust/notary/COMPARISON.md says what each of them
// answers. A difference that is not in its table fails the test, as does one in it that is gone.
// Run by comparison_test.sh.

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "tests/integration/comparison/cases.h"

namespace crivet::trust {

Editions::Editions() : before("registry.acme.example/test/web") {
  using std::chrono::hours;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  before.Delegate("targets/releases", {SigningKey::Ecdsa()});
  before.Sign("targets/releases", "1.0", DigestOf("old"));
  before.Sign("targets", "1.0", DigestOf("of targets"));
  for (const char* role : {"root", "timestamp", "snapshot", "targets", "targets/releases"}) {
    before.SetExpiry(role, now + hours{24 * 900});
  }
  // Room below for versions that go back.
  for (const char* role : {"timestamp", "snapshot", "targets", "targets/releases"}) {
    before.SetNextVersion(role, 5);
  }
  before.Publish();
}

SigningRepository Editions::After() const {
  SigningRepository after = before;
  after.Sign("targets/releases", "1.0", DigestOf("new"));
  after.Touch("targets");
  after.Touch("root");
  return after;
}

namespace {

std::string Page() {
  std::ifstream file(CRIVET_SOURCE_DIR "/trust/notary/COMPARISON.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

void CompareAttacks(const std::vector<Attack>& attacks, CollectionServer& server,
                    const TwoClients& fresh, const TwoClients& warm, RecordBook& book) {
  for (const Attack& attack : attacks) {
    server.Serve(attack.served, attack.bend);
    book.Write(attack.name, "new", TwoClients(fresh).Ask("1.0"));
    const TwoClients node = warm;
    book.Write(attack.name, "warm", node.Ask("1.0"));
    book.Write(attack.name, "again", node.Ask("1.0"));
  }
}

void CheckAgainst(const std::map<RecordBook::Question, Answers>& claimed, bool agree,
                  const RecordBook& book) {
  for (const auto& [question, answers] : claimed) {
    BOOST_TEST_CONTEXT("\"" << question.first << "\", " << question.second << " node") {
      const auto seen = book.entries().find(question);
      BOOST_CHECK_MESSAGE(seen != book.entries().end(), "the table has it, nobody asked");
      if (seen == book.entries().end()) continue;
      BOOST_TEST(seen->second.notary == answers.notary);
      BOOST_TEST(seen->second.crivet == answers.crivet);
      BOOST_CHECK_MESSAGE(answers.Agree() == agree, "it stands in the other table");
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ComparisonTest)

BOOST_AUTO_TEST_CASE(TheReadmesTablesAreWhatBothClientsAnswer) {
  const Editions editions;
  CollectionServer server;
  RecordBook book;
  server.Serve(editions.before);
  const TwoClients fresh(server.url(), editions.before.gun(),
                         editions.before.keys("root").front().id());
  const TwoClients warm(fresh);
  BOOST_REQUIRE((warm.Ask("1.0") == Answers{"old", "old"}));

  CompareAttacks(Damages(editions), server, fresh, warm, book);
  CompareAttacks(AttacksByKeyHolders(editions), server, fresh, warm, book);
  CompareAttacks(BentAnswers(editions), server, fresh, warm, book);
  ComparePins(server, editions, book);
  CompareWithRealServer(book);

  const Claims claims = ReadClaims(Page());
  CheckAgainst(claims.differences, false, book);
  CheckAgainst(claims.agreements, true, book);
  for (const auto& [question, answers] : book.entries()) {
    BOOST_CHECK_MESSAGE(
        claims.differences.contains(question) || claims.agreements.contains(question),
        "not in COMPARISON.md: " << question.first << ", " << question.second << " node: notary "
                                 << answers.notary << ", crivet " << answers.crivet);
  }
  std::ofstream(std::string(std::getenv("CRIVET_TABLES"))) << book.AsTables();
  BOOST_TEST_MESSAGE(book.entries().size() << " questions to each client");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
