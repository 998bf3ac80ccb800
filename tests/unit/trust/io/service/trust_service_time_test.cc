// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kWeb = TestNode::kWeb;
const std::string kImage = kWeb + ":1.0";
const std::string kSigned = DigestOf("web 1.0").ToString();
constexpr auto kInBackground = TrustService::Refreshing::kInBackground;
const FetchFailure kAway{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable};

BOOST_AUTO_TEST_SUITE(TrustServiceTimeTest)

BOOST_AUTO_TEST_CASE(ClockBeforeTheBuild_IsUnavailable_ButAllowRulesNeedNoClock) {
  TestNode node;
  node.SetBuildDate(SigningRepository::kNow + 1h);
  node.SetRules({node.VerifyRule("registry.acme.example/**", kWeb),
                 TestNode::ActionRule("open.example/**", Action::kAllow)});
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "clock");
  BOOST_TEST(Outcome(node.Pull("open.example/x:1")) == "allow");
  BOOST_TEST(!node.service().Status().clock_problem.empty());
}

BOOST_AUTO_TEST_CASE(ClockThatIsNotBelieved_BreaksNoGlassThatEndsInTime) {
  TestNode node;
  node.SetBuildDate(SigningRepository::kNow + 1h);
  NotaryRule glass = TestNode::ActionRule("registry.acme.example/shop/web", Action::kAllow);
  glass.until = SigningRepository::kNow + 24h;
  node.SetRules({glass, node.VerifyRule("registry.acme.example/**", kWeb)});
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "clock");
}

BOOST_AUTO_TEST_CASE(ClockSetBack_BehindTheLatestRefresh_IsUnavailable_AlsoAfterARestart) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.SetWall(SigningRepository::kNow - 2h);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "clock");
}

BOOST_AUTO_TEST_CASE(ClockAYearAheadAndBack_LocksNobodyOut_OnceAServerAgrees) {
  TestNode node;
  node.server().With(kWeb, [&](SigningRepository& web) {
    for (const char* role : {"timestamp", "snapshot", "targets"}) {
      web.SetExpiry(role, SigningRepository::kNow + 24h * 800);
    }
    web.Publish();
  });
  node.SetWall(SigningRepository::kNow + 24h * 365);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  node.SetWall(SigningRepository::kNow);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == "clock");
  node.server().SayDate(SigningRepository::kNow + 2min);
  node.Advance(31s);
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
  // The store follows: the next start needs no server.
  node.server().With(kWeb, [](SigningRepository& web) { web.RefuseAll(kAway); });
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kImage)) == kSigned);
}

BOOST_AUTO_TEST_CASE(RepositoriesInUse_AreRefreshedWithoutAPull) {
  TestNode node;
  node.Start(kInBackground);
  node.Pull(kImage);
  node.server().ForgetAsked();
  node.Advance(600s);
  node.Reconfigure();  // looks at what is due
  node.server().WaitForRequests(1);
  BOOST_TEST(node.server().asked().front().file == "timestamp.json");
}

BOOST_AUTO_TEST_CASE(Start_LoadsTheStoreInTheBackground) {
  TestNode node;
  node.Start();
  node.Pull(kImage);
  node.server().ForgetAsked();
  node.Advance(600s);
  node.Start(kInBackground);
  // Nobody asks about it: it is loaded, and then due in its phase.
  while (node.service().Status().repositories.empty() ||
         !node.service().Status().repositories.front().verified_at) {
    std::this_thread::yield();
  }
  node.Advance(600s);
  node.Reconfigure();
  node.server().WaitForRequests(1);
}

BOOST_AUTO_TEST_CASE(StrangerThatWasNeverVerified_IsNotRefreshedInTheBackground) {
  TestNode node;
  node.Start(kInBackground);
  node.Pull(kImage);
  node.Pull("registry.acme.example/none:1");
  node.server().ForgetAsked();
  node.Advance(600s);
  node.Reconfigure();
  node.server().WaitForRequests(1);
  for (const SimulatedServer::Asked& asked : node.server().asked()) BOOST_TEST(asked.gun == kWeb);
}

BOOST_AUTO_TEST_CASE(ManyRepositoriesDue_BeginNoFasterThanTheRate) {
  TestNode node;
  node.Start(kInBackground);
  for (int i = 0; i < 20; ++i) {
    const std::string gun = "registry.acme.example/shop/s" + std::to_string(i);
    node.server().With(gun, [](SigningRepository& one) { one.Publish(); });
    NotaryRule rule = node.VerifyRule(gun, gun);
    node.SetRules({rule});
    node.Reconfigure();
    BOOST_TEST(Outcome(node.Pull(gun + ":1")) == "tag-not-signed");
  }
  std::vector<NotaryRule> rules;
  for (int i = 0; i < 20; ++i) {
    const std::string gun = "registry.acme.example/shop/s" + std::to_string(i);
    rules.push_back(node.VerifyRule(gun, gun));
  }
  node.SetRules(rules);
  node.Reconfigure();
  node.server().ForgetAsked();
  node.Advance(900s);
  // The clock stands: of all that are due, one may begin.
  node.Reconfigure();
  node.server().WaitForRequests(1);
  node.Reconfigure();
  BOOST_TEST(node.server().refreshes() <= 2U);
  node.Advance(1s);
  node.Reconfigure();
  node.server().WaitForRequests(2);
  BOOST_TEST(node.server().refreshes() <= 3U);
}

BOOST_AUTO_TEST_CASE(RepositoriesThatWaitForTheServer_TakeNoTurnOfOthers) {
  TestNode node;
  std::vector<NotaryRule> rules;
  for (int i = 0; i < 3; ++i) {
    const std::string gun = "registry.acme.example/shop/s" + std::to_string(i);
    node.server().With(gun, [](SigningRepository& one) { one.Publish(); });
    rules.push_back(node.VerifyRule(gun, gun));
  }
  node.SetRules(rules);
  node.Start(kInBackground);
  for (int i = 0; i < 3; ++i) node.Pull("registry.acme.example/shop/s" + std::to_string(i) + ":1");
  node.server().ForgetAsked();
  node.server().Hang();
  node.Advance(900s);
  for (std::size_t asked = 1; asked <= 3; ++asked) {
    node.Advance(1s);
    node.Reconfigure();
    node.server().WaitForRequests(asked);
  }
  std::set<std::string> guns;
  for (const SimulatedServer::Asked& asked : node.server().asked()) guns.insert(asked.gun);
  BOOST_TEST(guns.size() == 3U);
  node.server().Release();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
