// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kWeb = TestNode::kWeb;
const std::string kImage = kWeb + ":1.0";
const std::string kSigned = DigestOf("web 1.0").ToString();

BOOST_AUTO_TEST_SUITE(TrustServiceCredentialsTest)

BOOST_AUTO_TEST_CASE(WrongSecret_IsRefusedByName_AndNotAskedAgainFor30Seconds) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  const Decision decision = node.service().DecideNow(TestNode::AskAs(kImage, "mallory"));
  BOOST_TEST(Outcome(decision) == "unreachable");
  BOOST_TEST(Found(decision).find("credentials-refused") != std::string::npos);
  node.server().ForgetAsked();
  node.Advance(29s);
  node.service().DecideNow(TestNode::AskAs(kImage, "mallory"));
  BOOST_TEST(node.server().asked().empty());
  node.Advance(1s);
  node.service().DecideNow(TestNode::AskAs(kImage, "mallory"));
  BOOST_TEST(!node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(WrongSecret_DelaysAndRefusesNobodyElse) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "mallory"));
  BOOST_TEST(Outcome(node.service().DecideNow(TestNode::AskAs(kImage, "alice"))) == kSigned);
  // Verified metadata serves all.
  node.server().ForgetAsked();
  BOOST_TEST(Outcome(node.service().DecideNow(TestNode::AskAs(kImage, "mallory"))) == kSigned);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(WrongSecretThatHangs_DoesNotHoldUpTheRightOne) {
  TestNode node;
  node.Settings().timeout = 60s;
  node.server().Require("alice");
  node.server().Hang();
  node.Start();
  std::promise<Decision> wrong;
  node.service().Decide(TestNode::AskAs(kImage, "mallory"),
                        [&](Decision decision) { wrong.set_value(std::move(decision)); });
  node.server().WaitForRequests(1);
  std::promise<Decision> right;
  node.service().Decide(TestNode::AskAs(kImage, "alice"),
                        [&](Decision decision) { right.set_value(std::move(decision)); });
  // Two flights: mallory's has not answered yet.
  node.server().WaitForRequests(2);
  node.server().Release();
  BOOST_TEST(Outcome(right.get_future().get()) == kSigned);
  wrong.get_future().get();
}

BOOST_AUTO_TEST_CASE(WrongSecret_DoesNotCountAgainstTheRepository) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  node.Advance(301s);
  node.service().DecideNow(TestNode::AskAs(kImage, "mallory"));
  BOOST_TEST(!node.StatusOf(kWeb).last_failure);
  BOOST_TEST(!node.StatusOf(kWeb).no_credentials);
}

BOOST_AUTO_TEST_CASE(WorkingCredentials_AreKeptForTheNextRefresh) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  node.Advance(301s);
  node.server().ForgetAsked();
  // Nobody brings any: a pod that only restarts.
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_REQUIRE(!node.server().asked().empty());
  BOOST_TEST(node.server().asked().front().username == "alice");
}

BOOST_AUTO_TEST_CASE(KeptCredentials_AreDroppedWhenRefused_AndTheStatusSaysSo) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  node.server().Require("bob");
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.StatusOf(kWeb).no_credentials);
  node.Advance(31s);
  node.server().ForgetAsked();
  node.Pull(kImage);
  BOOST_REQUIRE(!node.server().asked().empty());
  BOOST_TEST(node.server().asked().front().username.empty());

  BOOST_TEST(Outcome(node.service().DecideNow(TestNode::AskAs(kImage, "bob"))) == kSigned);
  BOOST_TEST(!node.StatusOf(kWeb).no_credentials);
}

BOOST_AUTO_TEST_CASE(Restart_ForgetsCredentials_AndTheStatusSaysSo) {
  TestNode node;
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  node.Advance(301s);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  BOOST_TEST(node.StatusOf(kWeb).no_credentials);
}

BOOST_AUTO_TEST_CASE(Anonymous_WhereThatSuffices_IsNotMissingCredentials) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.Advance(301s);
  node.Pull(kImage);
  BOOST_TEST(!node.StatusOf(kWeb).no_credentials);
}

BOOST_AUTO_TEST_CASE(ServerWithoutAuth_GetsNoCredentialsOfPulls_AndPullsShareTheirRefresh) {
  TestNode node;
  node.Settings().auth = TrustServer::Auth::kNone;
  node.server().Hang();
  node.Start();
  std::promise<Decision> one;
  std::promise<Decision> two;
  node.service().Decide(TestNode::AskAs(kImage, "alice"),
                        [&](Decision decision) { one.set_value(std::move(decision)); });
  node.service().Decide(TestNode::AskAs(kImage, "bob"),
                        [&](Decision decision) { two.set_value(std::move(decision)); });
  node.server().WaitForRequests(1);
  node.server().Release();
  BOOST_TEST(Outcome(one.get_future().get()) == kSigned);
  BOOST_TEST(Outcome(two.get_future().get()) == kSigned);
  BOOST_TEST(node.server().refreshes() == 1U);
  for (const SimulatedServer::Asked& asked : node.server().asked()) {
    BOOST_TEST(asked.username.empty());
  }
}

/// Whether anybody's name came to the server.
bool WasGivenASecret(const SimulatedServer& server) {
  const std::vector<SimulatedServer::Asked> asked = server.asked();
  return std::any_of(asked.begin(), asked.end(),
                     [](const SimulatedServer::Asked& one) { return !one.username.empty(); });
}

BOOST_AUTO_TEST_CASE(SecretOfAMirror_IsNotSentToTheServerOfWhatItMirrors) {
  TestNode node;
  NotaryRule rule = node.VerifyRule("mirror.other.example/acme/**", kWeb);
  rule.gun = ImagePattern::ParseMapping("registry.acme.example/**").value();
  node.SetRules({rule});
  node.Start();
  const std::string image = "mirror.other.example/acme/shop/web:1.0";
  const Decision decision = node.service().DecideNow(TestNode::AskAs(image, "mirrors-robot"));
  BOOST_TEST(Outcome(decision) == kSigned);
  BOOST_TEST(!WasGivenASecret(node.server()));
}

BOOST_AUTO_TEST_CASE(SecretOfARegistryThatNoRuleNames_IsNotSent) {
  for (const std::string pattern : {"**", "*/shop/web", "*/**"}) {
    TestNode node;
    node.SetRules({node.VerifyRule(pattern, kWeb)});
    node.Start();
    const Decision decision = node.service().DecideNow(TestNode::AskAs(kImage, "others-robot"));
    BOOST_TEST(Outcome(decision) == kSigned);
    BOOST_TEST(!WasGivenASecret(node.server()), pattern);
  }
}

BOOST_AUTO_TEST_CASE(SecretUnderADefaultThatVerifies_IsNotSent) {
  TestNode node;
  NotaryRule fallback = node.VerifyRule("**", kWeb);
  fallback.images.clear();
  node.SetRules({}, fallback);
  node.Start();
  const Decision decision = node.service().DecideNow(TestNode::AskAs(kImage, "others-robot"));
  BOOST_TEST(Outcome(decision) == kSigned);
  BOOST_TEST(!WasGivenASecret(node.server()));
}

BOOST_AUTO_TEST_CASE(SecretForAnotherPatternOfTheRule_IsNotSent) {
  TestNode node;
  NotaryRule rule = node.VerifyRule("**", kWeb);
  rule.images.push_back(ImagePattern::Parse("registry.acme.example/shop/db").value());
  node.SetRules({rule});
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "others-robot"));
  BOOST_TEST(!WasGivenASecret(node.server()));
}

BOOST_AUTO_TEST_CASE(SecretThatIsNotSent_HasNoFailureOfItsOwn) {
  TestNode node;
  node.SetRules({node.VerifyRule("**", kWeb)});
  node.server().Require("alice");
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "one"));
  node.server().ForgetAsked();
  // All of these are the same question: an anonymous one, and it has been answered.
  node.service().DecideNow(TestNode::AskAs(kImage, "two"));
  node.Pull(kImage);
  BOOST_TEST(node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(KeptSecret_IsNotReplacedByAMirrors) {
  TestNode node;
  NotaryRule mirror = node.VerifyRule("mirror.other.example/acme/**", kWeb);
  mirror.gun = ImagePattern::ParseMapping("registry.acme.example/**").value();
  node.SetRules({node.VerifyRule("registry.acme.example/**", kWeb), mirror});
  node.Start();
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  node.Advance(301s);
  const std::string image = "mirror.other.example/acme/shop/web:1.0";
  node.service().DecideNow(TestNode::AskAs(image, "mirrors-robot"));
  node.Advance(301s);
  node.server().ForgetAsked();
  node.Pull(kImage);
  BOOST_REQUIRE(!node.server().asked().empty());
  for (const SimulatedServer::Asked& asked : node.server().asked()) {
    BOOST_TEST(asked.username == "alice");
  }
}

BOOST_AUTO_TEST_CASE(KeptSecret_IsNotSentOnceNoRuleNamesItsRegistry) {
  TestNode node;
  node.Start(TrustService::Refreshing::kInBackground);
  node.service().DecideNow(TestNode::AskAs(kImage, "alice"));
  BOOST_TEST(WasGivenASecret(node.server()));
  node.SetRules({node.VerifyRule("*/shop/web", kWeb)});
  // Before it is due again: until now the old rule lets it be sent.
  node.Reconfigure();
  node.server().ForgetAsked();
  node.Advance(301s);
  node.Pull(kImage);
  node.server().WaitForRequests(1);
  BOOST_TEST(!WasGivenASecret(node.server()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
