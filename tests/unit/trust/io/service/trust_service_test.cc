// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/trust_service.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Reach = Question::Reach;

const std::string kWeb = TestNode::kWeb;
const std::string kSigned = DigestOf("web 1.0").ToString();
const FetchFailure kAway{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable};

std::future<Decision> Asked(TrustService& service, Question question) {
  auto promise = std::make_shared<std::promise<Decision>>();
  service.Decide(std::move(question),
                 [promise](Decision decision) { promise->set_value(std::move(decision)); });
  return promise->get_future();
}

bool IsReady(const std::future<Decision>& answer) {
  return answer.wait_for(0s) == std::future_status::ready;
}

void Away(TestNode& node, const std::string& gun = kWeb) {
  node.server().With(gun, [](SigningRepository& web) { web.RefuseAll(kAway); });
}

BOOST_AUTO_TEST_SUITE(TrustServiceTest)

BOOST_AUTO_TEST_CASE(SignedTag_IsAllowed_ThenAnsweredFromMemoryOnTheCallersThread) {
  TestNode node;
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  node.server().ForgetAsked();
  std::thread::id answered_on;
  node.service().Decide(TestNode::Ask(kWeb + ":1.0"),
                        [&](const Decision&) { answered_on = std::this_thread::get_id(); });
  BOOST_TEST((answered_on == std::this_thread::get_id()));
  BOOST_TEST(node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(UnsignedTag_IsDenied_AndTheMissIsRememberedFor30Seconds) {
  TestNode node;
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == "tag-not-signed");
  BOOST_TEST(node.server().refreshes() == 1U);
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Sign("targets", "2.0", DigestOf("web 2.0"));
    web.Publish();
  });
  node.Advance(20s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == "tag-not-signed");
  BOOST_TEST(node.server().refreshes() == 1U);
  node.Advance(11s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":2.0")) == DigestOf("web 2.0").ToString());
  BOOST_TEST(node.server().refreshes() == 2U);
}

BOOST_AUTO_TEST_CASE(MetadataOlderThanTheInterval_IsRefreshedByOneRequest) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.server().ForgetAsked();
  node.Advance(299s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(node.server().asked().empty());
  node.Advance(2s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(node.server().asked().size() == 1U);
}

BOOST_AUTO_TEST_CASE(TagThatMovedOn_IsSeenByTheRefresh) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Sign("targets", "1.0", DigestOf("web 1.0 again"));
    web.Publish();
  });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == DigestOf("web 1.0 again").ToString());
}

BOOST_AUTO_TEST_CASE(ServerAway_TheLastSetAnswers_AndNobodyAsksAgainFor30Seconds) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  Away(node);
  node.server().ForgetAsked();
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(node.server().asked().size() == 1U);
  node.Advance(29s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(node.server().asked().size() == 1U);
  node.Advance(1s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(node.server().asked().size() == 2U);
}

BOOST_AUTO_TEST_CASE(ServerAway_FromTheBeginning_IsUnavailableWithItsCause) {
  TestNode node;
  Away(node);
  node.Start();
  const Decision decision = node.Pull(kWeb + ":1.0");
  BOOST_TEST(Outcome(decision) == "unreachable");
  BOOST_TEST(Found(decision) == "https://notary.acme.example cannot be reached (unreachable)");
}

BOOST_AUTO_TEST_CASE(CollectionThatTheServerDoesNotKnow_IsNoTrustData) {
  TestNode node;
  node.Start();
  BOOST_TEST(Outcome(node.Pull("registry.acme.example/shop/none:1")) == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(ExpiredSet_IsRefreshedByThePullThatMeetsIt) {
  TestNode node;
  node.Settings().refresh_interval = 24h * 30;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.Advance(24h * 14 + 1s);
  node.server().With(kWeb, [&](SigningRepository& web) {
    web.SetExpiry("timestamp", node.wall() + 24h * 14);
    web.Publish();
  });
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
}

BOOST_AUTO_TEST_CASE(ExpiredSet_ServerAway_IsUnavailable) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.Advance(24h * 14 + 1s);
  Away(node);
  const Decision decision = node.Pull(kWeb + ":1.0");
  BOOST_TEST(Outcome(decision) == "expired");
  BOOST_TEST(Found(decision) ==
             "trust metadata expired at 2026-06-15T00:00:00Z and https://notary.acme.example "
             "cannot be reached (unreachable)");
}

BOOST_AUTO_TEST_CASE(ExpiredSet_ServerAway_GraceWhereTheRuleGrantsIt) {
  TestNode node;
  NotaryRule rule = node.VerifyRule("registry.acme.example/**", kWeb);
  rule.grace = 1h;
  node.SetRules({rule});
  node.Start();
  node.Pull(kWeb + ":1.0");
  Away(node);
  node.Advance(24h * 14 + 59min);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  node.Advance(2min);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == "expired");
}

BOOST_AUTO_TEST_CASE(ExpiredTimestampFromACache_TheServerItselfIsAsked) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.Advance(24h * 14 + 1s);
  std::string old;
  node.server().With(kWeb, [&](SigningRepository& web) {
    old = web.bytes("timestamp");
    web.SetExpiry("timestamp", node.wall() + 24h * 14);
    web.Publish();
  });
  node.server().Cache(old);
  node.server().ForgetAsked();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST((node.server().asked().front().caches == HttpRequest::Caches::kMayAnswer));
  BOOST_TEST((node.server().asked().back().caches == HttpRequest::Caches::kMustAskServer));
}

BOOST_AUTO_TEST_CASE(PullsAtOnce_ShareOneRefresh) {
  TestNode node;
  node.server().Hang();
  node.Start();
  std::vector<std::future<Decision>> answers;
  for (int i = 0; i < 20; ++i)
    answers.push_back(Asked(node.service(), TestNode::Ask(kWeb + ":1.0")));
  node.server().WaitForRequests(1);
  node.server().Release();
  for (std::future<Decision>& answer : answers) BOOST_TEST(Outcome(answer.get()) == kSigned);
  BOOST_TEST(node.server().refreshes() == 1U);
}

BOOST_AUTO_TEST_CASE(ServerThatHangs_APullWaitsNoLongerThanTheTimeout_TheNextAsksNobody) {
  TestNode node;
  node.Settings().timeout = 200ms;
  node.server().Hang();
  node.Start();
  const Decision first = node.Pull(kWeb + ":1.0");
  BOOST_TEST(Outcome(first) == "unreachable");
  BOOST_TEST(Found(first) == "https://notary.acme.example cannot be reached (timeout)");
  // It hears the same from the flight that is about to end, or from memory: nobody asks again.
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == "unreachable");
  BOOST_TEST(node.server().asked().size() == 1U);
}

BOOST_AUTO_TEST_CASE(ServerThatHangs_TheUnexpiredSetAnswers) {
  TestNode node;
  node.Settings().timeout = 200ms;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.Advance(301s);
  node.server().Hang();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
}

BOOST_AUTO_TEST_CASE(ServersThatHang_HoldUpNoOther) {
  TestNode node;
  std::vector<NotaryRule> rules{node.VerifyRule("registry.acme.example/**", kWeb)};
  for (int i = 0; i < 9; ++i) {
    const std::string label = "slow" + std::to_string(i);
    node.AddServer(label, "https://" + label + ".example").timeout = 60s;
    node.Server(label).Hang();
    rules.push_back(node.VerifyRule(label + ".example/**", label + ".example/x", label));
  }
  node.SetRules(rules);
  node.Start();
  std::vector<std::future<Decision>> waiting;
  for (int i = 0; i < 9; ++i) {
    const std::string label = "slow" + std::to_string(i);
    for (int repository = 0; repository < 4; ++repository) {
      waiting.push_back(Asked(
          node.service(), TestNode::Ask(label + ".example/x" + std::to_string(repository) + ":1")));
    }
    node.Server(label).WaitForRequests(1);
  }
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  for (const std::future<Decision>& answer : waiting) BOOST_TEST(!IsReady(answer));
  // The service's end answers them all.
  node.Stop();
  for (std::future<Decision>& answer : waiting) {
    BOOST_REQUIRE(IsReady(answer));
    BOOST_TEST(Outcome(answer.get()) == "unreachable");
  }
}

BOOST_AUTO_TEST_CASE(Offline_NeverAsksAServer) {
  TestNode node;
  node.Start();
  Question question = TestNode::Ask(kWeb + ":1.0");
  question.reach = Reach::kOffline;
  BOOST_TEST(Outcome(node.service().DecideNow(question)) == "no-trust-data");
  node.Pull(kWeb + ":1.0");
  node.server().ForgetAsked();
  node.Advance(1h);
  BOOST_TEST(Outcome(node.service().DecideNow(question)) == kSigned);
  BOOST_TEST(node.server().asked().empty());
}

BOOST_AUTO_TEST_CASE(Force_AlwaysAsksOnce) {
  TestNode node;
  node.Start();
  Question question = TestNode::Ask(kWeb + ":1.0");
  question.reach = Reach::kForce;
  for (std::size_t times = 1; times <= 3; ++times) {
    BOOST_TEST(Outcome(node.service().DecideNow(question)) == kSigned);
    BOOST_TEST(node.server().refreshes() == times);
  }
  Away(node);
  node.service().DecideNow(question);
  node.service().DecideNow(question);
  BOOST_TEST(node.server().refreshes() == 5U);
}

BOOST_AUTO_TEST_CASE(RulesThatDoNotVerify_AskNobody) {
  TestNode node;
  node.SetRules({TestNode::ActionRule("open.example/**", Action::kAllow),
                 TestNode::ActionRule("shut.example/**", Action::kDeny)});
  node.Start();
  BOOST_TEST(Outcome(node.Pull("open.example/x:1")) == "allow");
  BOOST_TEST(Outcome(node.Pull("shut.example/x:1")) == "denied");
  BOOST_TEST(Outcome(node.Pull("other.example/x:1")) == "denied");
  BOOST_TEST(node.service().Status().repositories.empty());
}

BOOST_AUTO_TEST_CASE(AnyNamespace_TheFirstRuleThatAllowsAnswers) {
  TestNode node;
  NotaryRule strict = node.VerifyRule("registry.acme.example/**", kWeb);
  strict.name = "strict";
  strict.namespaces = {"prod-*"};
  NotaryRule open = TestNode::ActionRule("registry.acme.example/**", Action::kAllow);
  open.name = "open";
  node.SetRules({strict, open});
  node.Start();
  Question question = TestNode::Ask(kWeb + ":unsigned");
  question.pod_namespace = AnyNamespace{};
  BOOST_TEST(node.service().DecideNow(question).applied.rule->name == "open");
  question.pod_namespace = std::string("prod-1");
  BOOST_TEST(Outcome(node.service().DecideNow(question)) == "tag-not-signed");
  question.pod_namespace = NoNamespace{};
  BOOST_TEST(Outcome(node.service().DecideNow(question)) == "allow");
}

BOOST_AUTO_TEST_CASE(AnyNamespace_WhereNoneAllows_TheMostSpecificRuleSaysWhy) {
  TestNode node;
  NotaryRule strict = node.VerifyRule("registry.acme.example/**", kWeb);
  strict.name = "strict";
  strict.namespaces = {"prod-*"};
  node.SetRules({strict, TestNode::ActionRule("registry.acme.example/**", Action::kDeny)});
  node.Start();
  Question question = TestNode::Ask(kWeb + ":unsigned");
  question.pod_namespace = AnyNamespace{};
  const Decision decision = node.service().DecideNow(question);
  BOOST_TEST(Outcome(decision) == "tag-not-signed");
  BOOST_TEST(decision.applied.rule->name == "strict");
}

BOOST_AUTO_TEST_CASE(BadAnswer_IsReportedAndCounted_WhileTheLastSetAnswers) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  node.server().With(kWeb, [](SigningRepository& web) {
    web.Serve("timestamp.json", "<html>Down for maintenance</html>");
  });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  const RepositoryStatus status = node.StatusOf(kWeb);
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST((status.last_failure->error.reason == Reason::kMalformed));
  BOOST_TEST(status.last_failure->at == "timestamp");
  BOOST_TEST(node.service().Status().refreshes.failed.at(Reason::kMalformed) == 1U);
  node.Advance(31s);
  node.Pull(kWeb + ":1.0");
  // Twice the same: said once.
  BOOST_TEST(node.Lines().size() == 1U);
  BOOST_TEST(node.StatusOf(kWeb).failures_in_a_row == 2U);

  node.server().With(kWeb, [](SigningRepository& web) { web.Recover(); });
  node.Advance(31s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  BOOST_TEST(!node.StatusOf(kWeb).last_failure);
}

BOOST_AUTO_TEST_CASE(NewerRoot_ActsAtOnce_ThoughTheRefreshFails) {
  TestNode node;
  node.Start();
  node.Pull(kWeb + ":1.0");
  // The publisher takes the targets key away; the files of the new key cannot be had.
  node.server().With(kWeb, [](SigningRepository& web) {
    web.SetKeys("targets", {SigningKey::Ecdsa()});
    web.Publish();
    web.Refuse(web.FileName("targets"), kAway);
  });
  node.Advance(301s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) != kSigned);
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) != kSigned);
  node.server().With(kWeb, [](SigningRepository& web) { web.Recover(); });
  node.Advance(31s);
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
}

BOOST_AUTO_TEST_CASE(TrustOnFirstUse_IsSaidAndCountedOnce) {
  TestNode node;
  NotaryRule rule = node.VerifyRule("registry.acme.example/**", kWeb);
  rule.root = RootPin{};
  rule.root.tofu = true;
  node.SetRules({rule});
  node.Start();
  BOOST_TEST(Outcome(node.Pull(kWeb + ":1.0")) == kSigned);
  node.Advance(301s);
  node.Pull(kWeb + ":1.0");
  node.Start();
  node.Pull(kWeb + ":1.0");
  BOOST_TEST(node.Lines().size() == 1U);
  BOOST_TEST(node.Lines().front().find("tofu") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(NamesWithoutEnd_DoNotFillTheMemory, *boost::unit_test::label("sequential")) {
  TestNode node;
  node.Start();
  for (int i = 0; i < 3000; ++i) {
    node.Pull("registry.acme.example/random/x" + std::to_string(i) + ":1");
  }
  BOOST_TEST(node.service().Status().repositories.size() <= 2048U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
