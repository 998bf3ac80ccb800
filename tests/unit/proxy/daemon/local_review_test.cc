// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/local_review.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "trust/notary/notary_demand.h"
#include "trust/notary/notary_kind.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;

trust::Sha256Digest DigestOf(const std::string& text) {
  return trust::Sha256Digest(trust::Sha256Of(text));
}

trust::Member MemberOf(const std::string& kind) {
  if (kind == "sigstore") {
    return {"sigstore-acme", "", &trust::SigstoreKind(),
            std::make_shared<trust::sigstore::SigstoreDemand>()};
  }
  auto demand = std::make_shared<trust::NotaryDemand>();
  demand->roles = {trust::RoleName::Targets()};
  demand->root.tofu = true;
  return {"notary-acme", "https://notary.example", &trust::NotaryKind(), std::move(demand)};
}

trust::Rule RuleOf(const std::string& name, const std::vector<std::string>& kinds) {
  trust::Rule rule;
  rule.name = name;
  rule.images = {trust::ImagePattern::Parse(name + ".example/**").value()};
  rule.action = kinds.empty() ? trust::Action::kAllow : trust::Action::kVerify;
  for (const std::string& kind : kinds) rule.members.push_back(MemberOf(kind));
  return rule;
}

std::shared_ptr<const trust::Policy> PolicyOf(std::vector<trust::Rule> rules) {
  trust::Rule fallback;
  fallback.action = trust::Action::kDeny;
  auto policy = trust::Policy::Create(std::move(rules), fallback);
  BOOST_REQUIRE(policy);
  return std::make_shared<const trust::Policy>(*std::move(policy));
}

NodeInventory Holding(const std::vector<std::string>& names) {
  NodeInventory inventory;
  for (const std::string& name : names) inventory.names.push_back({name, DigestOf(name)});
  return inventory;
}

/// Whoever is asked, and says yes to some.
struct Asked {
  using ByTrust = std::set<std::pair<std::string, trust::Sha256Digest>>;
  ByTrust vouched;                     // by what the node has
  ByTrust unread;                      // by what only the registry has
  ByTrust unconfirmed;                 // what was not confirmed for long
  std::vector<std::string> questions;  // for which a registry may be asked
  std::vector<std::string> events;     // "here", "go out", "pause" and "out" as they came

  /// From any thread: Boost's checks are the test's own thread's alone.
  trust::Decision Answer(const trust::Question& question) {
    const trust::Question::Member& of = question.of_member.value();
    const std::string& trust = of.applied.rule->members[of.index].trust;
    const bool here = question.reach == trust::Question::Reach::kOffline;
    events.emplace_back(here ? "here" : "out");
    const std::chrono::seconds within = question.confirmed_within;
    const std::string confirm =
        within.count() > 0 ? " within " + std::to_string(within.count()) + " s" : "";
    if (!here) questions.push_back(trust + " " + question.reference.Canonical() + confirm);
    trust::Decision decision{
        trust::Refusal(trust::Reason::kUnsigned, ""), of.applied, {}, of.index};
    const std::pair<std::string, trust::Sha256Digest> asked{trust, question.local.value()};
    const bool counts = confirm.empty() || !unconfirmed.contains(asked);
    if ((vouched.contains(asked) && counts) || (!here && unread.contains(asked))) {
      decision.verdict = trust::Allow{question.local};
    }
    return decision;
  }
  std::optional<UnverifiedLocal> LookAt(const NodeInventory& inventory,
                                        const trust::Policy& policy) {
    return LookAtLocal(inventory, policy,
                       {.ask =
                            [this](const trust::Question& question) {
                              BOOST_TEST((question.name_here == trust::NameHere::kIsThis));
                              BOOST_TEST(!question.credentials);
                              return Answer(question);
                            },
                        .go_out = [this] { return Note("go out"); },
                        .next_out = [this] { return Note("pause"); }});
  }
  bool Note(const std::string& event) {
    events.push_back(event);
    return true;
  }
};

BOOST_AUTO_TEST_SUITE(LocalReviewTest)

BOOST_AUTO_TEST_CASE(OnlyNamesUnderRulesThatAskRegistries_AreAskedAbout_AndByWhatIsHere) {
  const auto policy =
      PolicyOf({RuleOf("cosign", {"sigstore"}), RuleOf("notary", {"notary"}), RuleOf("free", {})});
  Asked asked;
  asked.vouched = {{"sigstore-acme", DigestOf("cosign.example/signed:1")}};
  const auto found = asked.LookAt(
      Holding({"cosign.example/signed:1", "cosign.example/not:1", "notary.example/web:1",
               "free.example/web:1", "other.example/web:1", "sha256:" + std::string(64, 'a')}),
      *policy);
  BOOST_TEST(asked.questions == std::vector<std::string>{"sigstore-acme cosign.example/not:1"},
             boost::test_tools::per_element());
  BOOST_REQUIRE(found);
  BOOST_TEST(found->count == 1U);
  BOOST_TEST(found->first.at(0) == "cosign.example/not:1");
  BOOST_TEST((found->trusts == std::set<std::string>{"sigstore-acme"}));
}

// On the day on which one of them is gone, the other has to have seen it.
BOOST_AUTO_TEST_CASE(EveryMember_IsAsked_WhateverTheFirstSays) {
  const auto policy = PolicyOf({RuleOf("both", {"notary", "sigstore"})});
  const NodeInventory here = Holding({"both.example/web:1"});
  Asked asked;
  asked.vouched = {{"notary-acme", here.names.front().target}};
  const auto found = asked.LookAt(here, *policy);
  BOOST_TEST(asked.questions == std::vector<std::string>{"sigstore-acme both.example/web:1"},
             boost::test_tools::per_element());
  BOOST_TEST(found.value().count == 0U);
}

BOOST_AUTO_TEST_CASE(WhatWasNotConfirmedForAThirdOfItsTime_IsAskedForAgain_AndCountsMeanwhile) {
  trust::Rule rule = RuleOf("cosign", {"sigstore"});
  rule.confirmed_max_age = 30h;
  const auto policy = PolicyOf({rule, RuleOf("ever", {"sigstore"})});
  const NodeInventory here =
      Holding({"cosign.example/new:1", "cosign.example/old:1", "ever.example/old:1"});
  Asked asked;
  for (const NodeImage& image : here.names) asked.vouched.emplace("sigstore-acme", image.target);
  asked.unconfirmed = {{"sigstore-acme", here.names[1].target},
                       {"sigstore-acme", here.names[2].target}};
  const auto found = asked.LookAt(here, *policy);
  BOOST_TEST(found.value().count == 0U);
  BOOST_TEST(asked.questions ==
                 std::vector<std::string>{"sigstore-acme cosign.example/old:1 within 36000 s"},
             boost::test_tools::per_element());
  BOOST_TEST(asked.events == (std::vector<std::string>{"here", "here", "here", "here", "here",
                                                       "go out", "pause", "out"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(HowOften_AsWhatHasToBeConfirmedFirstWants) {
  BOOST_TEST((HowOften(*PolicyOf({RuleOf("cosign", {"sigstore"})}), 1h) == 1h));
  trust::Rule days = RuleOf("days", {"sigstore"});
  days.confirmed_max_age = 24h * 30;
  trust::Rule hour = RuleOf("hour", {"sigstore"});
  hour.confirmed_max_age = 1h;
  BOOST_TEST((HowOften(*PolicyOf({days}), 1h) == 1h));
  BOOST_TEST((HowOften(*PolicyOf({days, hour}), 1h) == 20min));
  hour.confirmed_max_age = 2s;
  BOOST_TEST((HowOften(*PolicyOf({hour}), 1h) == 1min));
}

// A thousand images that are vouched for are looked at in a moment, after a start as well: from
// then on they count as in use, and no registry hears of it.
BOOST_AUTO_TEST_CASE(WhatTheNodeVouchesFor_IsLookedAtWithoutAPause_AndNobodyIsAsked) {
  const auto policy = PolicyOf({RuleOf("cosign", {"sigstore"})});
  std::vector<std::string> names;
  Asked asked;
  for (int i = 0; i < 1000; ++i) {
    names.push_back("cosign.example/web:" + std::to_string(i));
    asked.vouched.emplace("sigstore-acme", DigestOf(names.back()));
  }
  const auto found = asked.LookAt(Holding(names), *policy);
  BOOST_TEST(found.value().count == 0U);
  BOOST_TEST(asked.events == std::vector<std::string>(1000, "here"),
             boost::test_tools::per_element());
}

// Else what comes last in the list would be pushed out by others before its turn came.
BOOST_AUTO_TEST_CASE(AllThatIsHere_IsLookedAt_BeforeARegistryIsAsked_AndEachQuestionToOneWaits) {
  const auto policy = PolicyOf({RuleOf("cosign", {"sigstore"})});
  Asked asked;
  asked.unread = {{"sigstore-acme", DigestOf("cosign.example/later:1")}};
  asked.vouched = {{"sigstore-acme", DigestOf("cosign.example/signed:1")}};
  const auto found = asked.LookAt(
      Holding({"cosign.example/later:1", "cosign.example/not:1", "cosign.example/signed:1"}),
      *policy);
  BOOST_TEST(asked.events == (std::vector<std::string>{"here", "here", "here", "go out", "here",
                                                       "pause", "out", "here", "pause", "out"}),
             boost::test_tools::per_element());
  BOOST_TEST(found.value().count == 1U);
  BOOST_TEST(found->first.at(0) == "cosign.example/not:1");
}

BOOST_AUTO_TEST_CASE(WhileGlassIsBroken_TheRuleThatComesAfterIsLookedAt) {
  trust::Rule glass = RuleOf("cosign", {});
  glass.name = "glass";
  glass.images = {trust::ImagePattern::Parse("cosign.example/web").value()};
  glass.until = trust::TimePoint(std::chrono::hours{24 * 365 * 60});
  const auto policy = PolicyOf({glass, RuleOf("cosign", {"sigstore"})});
  Asked asked;
  const auto found = asked.LookAt(Holding({"cosign.example/web:1"}), *policy);
  BOOST_TEST(asked.questions.size() == 1U);
  BOOST_TEST(found.value().count == 1U);
}

BOOST_AUTO_TEST_CASE(ManyNames_AreCounted_AndSomeNamed) {
  const auto policy = PolicyOf({RuleOf("cosign", {"sigstore"})});
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("cosign.example/web:" + std::to_string(i));
  Asked asked;
  const auto found = asked.LookAt(Holding(names), *policy);
  BOOST_TEST(found.value().count == 50U);
  BOOST_TEST(found->first.size() == UnverifiedLocal::kNamed);
}

// What is under way in another thread than the test's.
struct Running {
  std::shared_ptr<const trust::Policy> policy = PolicyOf({RuleOf("cosign", {"sigstore"})});
  std::atomic<int> inventories{0};
  std::atomic<bool> hangs{false};
  std::atomic<bool> away{false};

  std::unique_ptr<LocalReview> Begin(LocalReview::Clock::duration every) {
    LocalReview::Options options;
    options.inventory = [this]() -> trust::Result<NodeInventory> {
      ++inventories;
      if (away) return trust::Fail(trust::Reason::kUnreachable, "away");
      return Holding({"cosign.example/web:1"});
    };
    options.policy = [this] { return policy; };
    options.decide = [this](const trust::Question& question, const trust::Answered& done) {
      if (!hangs) done(Asked().Answer(question));
    };
    options.at_once = 1ms;
    options.soon = 1ms;
    options.every = every;
    options.between_questions = 1ms;
    return std::make_unique<LocalReview>(std::move(options));
  }
  template <typename Condition>
  static bool Becomes(Condition condition) {
    for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(2ms);
    return condition();
  }
};

BOOST_FIXTURE_TEST_CASE(ItLooksSoon_AndAgainWhereRulesChange, Running) {
  const auto review = Begin(24h);
  BOOST_TEST(Becomes([&] { return review->last().has_value(); }));
  BOOST_TEST(review->last()->count == 1U);
  const int before = inventories;
  review->Again();
  BOOST_TEST(Becomes([&] { return inventories > before; }));
}

BOOST_FIXTURE_TEST_CASE(ARuntimeThatIsAway_IsAskedAgainSoon, Running) {
  away = true;
  const auto review = Begin(24h);
  BOOST_TEST(Becomes([&] { return inventories > 2; }));
  BOOST_TEST(!review->last());
  away = false;
  BOOST_TEST(Becomes([&] { return review->last().has_value(); }));
}

BOOST_FIXTURE_TEST_CASE(ARegistryThatHangs_HoldsUpNoEnd, Running) {
  hangs = true;
  auto review = Begin(24h);
  BOOST_TEST(Becomes([&] { return inventories > 0; }));
  const auto began = LocalReview::Clock::now();
  review.reset();
  BOOST_TEST((LocalReview::Clock::now() - began < 5s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
