// SPDX-License-Identifier: Apache-2.0
// Rules of several trusts: Notary beside another Notary, and beside a kind that lives in the tests.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/trust/word_kind.h"
#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

constexpr char kOtherUrl[] = "https://other.example";
constexpr char kWordUrl[] = "https://words.example";
const std::string kName = "registry.acme.example/shop/web";

/// WordServer holds the one file of a collection of the tests' kind.
class WordServer final : public MetadataFetcher {
 public:
  void Write(std::string file) {
    const std::lock_guard lock(mutex_);
    file_ = std::move(file);
    away_ = false;
  }
  void GoAway() {
    const std::lock_guard lock(mutex_);
    away_ = true;
  }
  std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (terms.arrival) terms.arrival->heard = away_ ? Heard::kNoFirstByte : Heard::kAnswer;
    if (away_) {
      return {
          tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable}),
          std::nullopt};
    }
    if (request.path != WordPath(kName) || file_.empty()) {
      return {tl::unexpected(FetchFailure{}), std::nullopt};
    }
    return {file_, std::nullopt};
  }

 private:
  mutable std::mutex mutex_;
  std::string file_;
  bool away_ = false;
  std::size_t asked_ = 0;
};

/// A node whose rule names Notary and the words.
struct TwoTrusts : TestNode {
  TwoTrusts() {
    words = std::make_shared<WordServer>();
    AddServer("words", kWordUrl).kind = std::string(WordKind().name());
    AddKind(&WordKind());
    SetFetcher("words", words);
    Use(Combine::kAnyOf);
  }

  Rule RuleOf(Combine combine) {
    Rule rule = VerifyRule("registry.acme.example/**", kName);
    rule.members.push_back({"words", kWordUrl, &WordKind(), WordDemandOf("sesame")});
    rule.combine = combine;
    return rule;
  }

  void Use(Combine combine) {
    SetRules(std::vector<Rule>{RuleOf(combine)}, Rule{});
    Start();
  }

  static std::string Line(const std::string& tag, const std::string& text) {
    return tag + " " + DigestOf(text).ToString() + "\n";
  }

  Decision Present(const std::string& reference, const Sha256Digest& local,
                   Question::Reach reach = Question::Reach::kOffline) {
    Question question = Ask(reference);
    question.local = local;
    question.reach = reach;
    return service().DecideNow(std::move(question));
  }

  void Withhold() {
    server().Require("nobody");
    Settings().auth = TrustServer::Auth::kNone;
  }

  std::shared_ptr<WordServer> words;
};

bool Eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 200; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

BOOST_FIXTURE_TEST_SUITE(SeveralTrustsTest, TwoTrusts)

BOOST_AUTO_TEST_CASE(AnyOf_TheFirstThatAllowsDecides_WhateverTheNextSays) {
  words->Write("sesame\n" + Line("1.0", "another image"));
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == DigestOf("web 1.0").ToString());
}

BOOST_AUTO_TEST_CASE(AnyOf_TheFirstDenies_TheNextDecides) {
  words->Write("sesame\n" + Line("2.0", "web 2.0"));
  const Decision decision = Pull(kName + ":2.0");
  BOOST_TEST(Outcome(decision) == DigestOf("web 2.0").ToString());
  BOOST_TEST(decision.member == 1u);
  BOOST_TEST(decision.evidence.vouching == std::vector<std::string>{"words"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AnyOf_TheFirstIsAway_TheNextDecides) {
  server().Require("nobody");
  words->Write("sesame\n" + Line("1.0", "web 1.0"));
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == DigestOf("web 1.0").ToString());
}

BOOST_AUTO_TEST_CASE(AnyOf_NobodyAllows_EveryReasonIsToldInTheRulesOrder) {
  words->Write("sesame\n");
  const Decision decision = Pull(kName + ":3.0");
  BOOST_TEST(Outcome(decision) == "tag-not-signed");
  const std::string found = Found(decision);
  BOOST_TEST(found.starts_with("acme: tag is not signed"));
  BOOST_TEST(found.find("; words: tag is not signed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(AnyOf_OneDeniesAndOneIsAway_IsUnavailable) {
  words->GoAway();
  BOOST_TEST(Outcome(Pull(kName + ":3.0")) == "unreachable");
}

BOOST_AUTO_TEST_CASE(AnyOf_AWordThatTheRuleDoesNotWant_AllowsNothing) {
  words->Write("simsim\n" + Line("2.0", "web 2.0"));
  const Decision decision = Pull(kName + ":2.0");
  BOOST_TEST(!std::holds_alternative<Allow>(decision.verdict));
}

BOOST_AUTO_TEST_CASE(AllOf_TheSameDigest_IsAllowedAndRememberedByEach) {
  Use(Combine::kAllOf);
  words->Write("sesame\n" + Line("1.0", "web 1.0"));
  const Decision decision = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(decision) == DigestOf("web 1.0").ToString());
  const std::vector<MemberRecord> records = RecordsOf(decision, wall());
  BOOST_REQUIRE(records.size() == 2u);
  BOOST_TEST(records[0].record.vouching.contains("targets"));
  BOOST_TEST(records[1].record.vouching.contains("words"));
}

BOOST_AUTO_TEST_CASE(AllOf_AnotherDigest_IsRefused) {
  Use(Combine::kAllOf);
  words->Write("sesame\n" + Line("1.0", "another image"));
  const Decision decision = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(decision) == "signers-disagree");
  BOOST_TEST(Found(decision) == "acme names " + DigestOf("web 1.0").ToString() +
                                    ", and words names " + DigestOf("another image").ToString());
}

BOOST_AUTO_TEST_CASE(AllOf_OneRefuses_IsRefused_WhoeverIsAway) {
  Use(Combine::kAllOf);
  words->Write("sesame\n");
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "tag-not-signed");
  words->GoAway();
  server().Require("nobody");
  BOOST_TEST(Outcome(Pull(kName + ":9.9")) != "allow");
}

BOOST_AUTO_TEST_CASE(AllOf_OneIsAway_IsUnavailable) {
  Use(Combine::kAllOf);
  words->GoAway();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unreachable");
}

// The day on which Notary dies: what runs has to be vouched for by the other trust.
BOOST_AUTO_TEST_CASE(AnyOf_AfterAnAllow_TheOthersAreAskedAndKeepTheirOwnRecord) {
  words->Write("sesame\n" + Line("1.0", "web 1.0"));
  const Decision decision = Pull(kName + ":1.0");
  BOOST_REQUIRE(decision.member == 0u);
  service().Remember(ImageReference::Parse(kName + ":1.0").value(), decision);
  const CollectionId id{std::string(WordKind().name()), kWordUrl, kName};
  BOOST_TEST(Eventually([&] {
    const TrustView view = service().View(id);
    return view.records && view.records->size() == 1u;
  }));
}

// What the other one says is not known when the first pull is decided, and it is asked after it.
// From then on each pull says so.
BOOST_AUTO_TEST_CASE(AnyOf_AnotherDigestByAnother_IsToldAndCounted_AndChangesNothing) {
  words->GoAway();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == DigestOf("web 1.0").ToString());
  words->Write("sesame\n" + Line("1.0", "another image"));
  Advance(31s);
  const Decision first = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(first) == DigestOf("web 1.0").ToString());
  BOOST_TEST(first.disagree.empty());
  service().Remember(Ask(kName + ":1.0").reference, first);
  BOOST_TEST(Eventually([&] { return service().Status().members_disagreed == 1U; }));
  const Decision next = Pull(kName + ":1.0");
  BOOST_TEST(Outcome(next) == DigestOf("web 1.0").ToString());
  BOOST_REQUIRE(next.disagree.size() == 1U);
  BOOST_TEST(next.disagree.front().member == 1U);
  BOOST_TEST((next.disagree.front().digest == DigestOf("another image")));
  service().Remember(Ask(kName + ":1.0").reference, next);
  BOOST_TEST(Outcome(Present(kName + ":1.0", DigestOf("web 1.0"))) ==
             DigestOf("web 1.0").ToString());
  Stop();
  const auto lines = Lines();
  BOOST_TEST(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
               return line.find("by [trust.words]: the rule takes the first") != std::string::npos;
             }) == 1);
}

BOOST_AUTO_TEST_CASE(AnyOf_TheSameDigestByAnother_OrNone_IsNoDisagreement) {
  const CollectionId id{std::string(WordKind().name()), kWordUrl, kName};
  for (const std::string& line : {Line("2.0", "web 2.0"), Line("1.0", "web 1.0")}) {
    words->Write("sesame\n" + line);
    const Decision pulled = Pull(kName + ":1.0");
    BOOST_TEST(pulled.disagree.empty());
    service().Remember(Ask(kName + ":1.0").reference, pulled);
    Advance(301s);
  }
  BOOST_TEST(Eventually([&] {
    const TrustView view = service().View(id);
    return view.records && view.records->size() == 1U;
  }));
  BOOST_TEST(service().Status().members_disagreed == 0U);
}

BOOST_AUTO_TEST_CASE(TwoNotaries_AnyOf_EitherCounts) {
  AddServer("other", kOtherUrl);
  Server("other").With(kName, [](SigningRepository& web) {
    web.Sign("targets", "5.0", DigestOf("web 5.0"));
    web.Publish();
  });
  Rule rule = VerifyRule("registry.acme.example/**", kName);
  const Rule other = VerifyRule("registry.acme.example/**", kName, "other");
  rule.members.push_back(other.members.front());
  SetRules(std::vector<Rule>{rule}, Rule{});
  Start();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == DigestOf("web 1.0").ToString());
  BOOST_TEST(Outcome(Pull(kName + ":5.0")) == DigestOf("web 5.0").ToString());
  rule.combine = Combine::kAllOf;
  SetRules(std::vector<Rule>{rule}, Rule{});
  Start();
  BOOST_TEST(Outcome(Pull(kName + ":5.0")) == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(ADifferentKindsState_IsReadAgainAfterARestart) {
  words->Write("sesame\n" + Line("2.0", "web 2.0"));
  BOOST_REQUIRE(Outcome(Pull(kName + ":2.0")) == DigestOf("web 2.0").ToString());
  words->GoAway();
  Start();
  BOOST_TEST(Outcome(Present(kName + ":2.0", DigestOf("web 2.0"))) ==
             DigestOf("web 2.0").ToString());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
