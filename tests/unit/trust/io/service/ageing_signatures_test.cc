// SPDX-License-Identifier: Apache-2.0

// A kind whose signatures run out, behind the whole service: what a node goes on with, for how
// long, and what a new one takes.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/one_registry.h"
#include "tests/support/trust_io/test_node.h"
#include "trust/notation/notation_demand.h"
#include "trust/notation/notation_kind.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kName = "127.0.0.1:5055/acme/web";
constexpr char kType[] = "application/vnd.cncf.notary.signature";
constexpr char kJws[] = "application/jose+json";

struct NotationNode : TestNode {
  NotationNode() {
    AddServer("notation", "").kind = std::string(NotationKind().name());
    AddKind(&NotationKind());
    SetFetcher("notation", registry);
    SetWall(*ParseRfc3339("2026-11-28T20:00:00Z"));
    Use("notation/revocation/ca.pem");
    Start();
    registry->With([](MemoryRegistry& held) {
      held.Tag("1.0", MemoryRegistry::Image());
      held.PutImage();
      held.PutReferrer(kType, kJws,
                       MemoryRegistry::TestData("notation/revocation/signed-for-days.jws"));
    });
  }

  void Use(const std::string& ca, std::chrono::seconds confirmed_max_age = 0s) {
    auto demand = std::make_shared<notation::NotationDemand>();
    demand->wanted.authorities = *CertificateSet::Parse(MemoryRegistry::TestData(ca));
    demand->wanted.identities = {
        *notation::TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme")};
    demand->fingerprint = Sha256Of(ca);
    Rule rule;
    rule.name = "notation";
    rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
    rule.action = Action::kVerify;
    rule.members = {{"notation", "", &NotationKind(), demand}};
    rule.present_max_age = 240h;
    rule.confirmed_max_age = confirmed_max_age;
    SetRules(std::vector<Rule>{rule}, Rule{});
  }

  Decision Present(const std::string& reference) {
    Question question = Ask(reference);
    question.local = MemoryRegistry::Image();
    return service().DecideNow(std::move(question));
  }

  std::shared_ptr<OneRegistry> registry = std::make_shared<OneRegistry>();
  const std::string image = MemoryRegistry::Image().ToString();
  const std::string by_digest = kName + "@" + image;
};

BOOST_FIXTURE_TEST_SUITE(AgeingSignaturesTest, NotationNode)

BOOST_AUTO_TEST_CASE(WhatExpired_RunsOnWhereItWasVerified_AlsoAfterARestart_UntilItsTimeIsOver) {
  const Decision pulled = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(pulled) == image);
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  Advance(24h * 8);  // a day and more after it has expired
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  Advance(24h * 9);
  BOOST_TEST(Outcome(Present(kName + ":1.0")) != image);
}

// That it is still there is what was asked, and not whether it would do for a new node.
BOOST_AUTO_TEST_CASE(WhatExpired_IsConfirmedByBeingThere_AndHoldsUpNothingElse) {
  Use("notation/revocation/ca.pem", 72h);
  Reconfigure();
  const Decision pulled = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(pulled) == image);
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  Advance(24h * 8);
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Advance(24h * 2);
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  Advance(24h * 2);
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == "unreachable");
}

BOOST_AUTO_TEST_CASE(ANodeThatNeverHadIt_TakesNothingThatHasExpired) {
  Advance(24h * 8);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "signature-expired");
  BOOST_TEST(Outcome(Present(by_digest)) == "signature-expired");
}

BOOST_AUTO_TEST_CASE(AnAuthorityTakenOut_TakesItsImagesWithIt) {
  const Decision pulled = Pull(kName + ":1.0");
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Use("trust/notation/ca-evil.pem");
  Reconfigure();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) != image);
  Use("notation/revocation/ca.pem");
  Reconfigure();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
