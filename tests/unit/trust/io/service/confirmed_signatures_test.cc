// SPDX-License-Identifier: Apache-2.0

// A rule that says for how long a signature counts which no registry has confirmed: what confirms
// it, what does not, and what becomes of images whose time is over.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kName = CosignNode::kRepository;
const std::string kTagged = kName + ":1.0";

/// A node that pulled an image under such a rule a moment ago.
struct ConfirmingNode : CosignNode {
  static constexpr std::chrono::seconds kCounts = 24h * 30;

  ConfirmingNode() {
    UseFor(kCounts);
    Reconfigure();
    const Decision pulled = Pull(kTagged);
    BOOST_REQUIRE(Outcome(pulled) == image);
    service().Remember(Ask(kTagged).reference, pulled);
  }
  void UseFor(std::chrono::seconds counts) {
    Rule rule;
    rule.name = "cosign";
    rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
    rule.action = Action::kVerify;
    rule.members = {{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-p256.pub"})}};
    rule.confirmed_max_age = counts;
    SetRules(std::vector<Rule>{rule}, Rule{});
  }
  // As the look at the node asks, before the time is over.
  Decision Confirm() {
    Question question = Ask(kTagged);
    question.local = MemoryRegistry::Image();
    question.name_here = NameHere::kIsThis;
    question.confirmed_within = kCounts / 3;
    return service().DecideNow(std::move(question));
  }
  void GoAway() {
    registry->With([](MemoryRegistry& held) { held.GoAway(); });
  }
  void ComeBack() {
    registry->With([](MemoryRegistry& held) { held.ComeBack(); });
    Advance(31s);
  }
  void DeleteSignature() {
    registry->With([](MemoryRegistry& held) {
      held = MemoryRegistry();
      held.Tag("1.0", MemoryRegistry::Image());
    });
  }
};

BOOST_FIXTURE_TEST_SUITE(ConfirmedSignaturesTest, ConfirmingNode)

BOOST_AUTO_TEST_CASE(WhatNobodyConfirms_CountsForThatLong_ThenIsAskedFor) {
  GoAway();
  Advance(24h * 29);
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  Advance(24h * 2);
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
  BOOST_TEST(Found(Present(kTagged)).find("was last confirmed at ") != std::string::npos);
  BOOST_TEST(Outcome(Present(by_digest)) == "unreachable");
  BOOST_TEST(Outcome(Pull(by_digest)) == "unreachable");
  ComeBack();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  GoAway();
  Advance(24h * 29);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
}

BOOST_AUTO_TEST_CASE(VerifyingAgain_ConfirmsNothing) {
  GoAway();
  Advance(24h * 20);
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  Advance(24h * 11);
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
}

BOOST_AUTO_TEST_CASE(WhatIsFoundAgain_CountsFromThen_AlsoAfterARestart) {
  Advance(24h * 11);
  BOOST_TEST(Outcome(Confirm()) == image);
  GoAway();
  Start();
  Advance(24h * 29);
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  Advance(24h * 2);
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
}

BOOST_AUTO_TEST_CASE(BeforeAThirdIsOver_NobodyIsAsked) {
  Advance(24h * 9);
  const std::size_t before = registry->asked();
  BOOST_TEST(Outcome(Confirm()) == image);
  BOOST_TEST(registry->asked() == before);
}

// Whoever asks ahead of time and gets no answer has lost nothing.
BOOST_AUTO_TEST_CASE(AskedAheadInVain_ItCountsOn) {
  GoAway();
  Advance(24h * 11);
  BOOST_TEST(Outcome(Confirm()) == "unreachable");
  const std::size_t before = registry->asked();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(registry->asked() == before);
}

BOOST_AUTO_TEST_CASE(ASignatureThatWasDeleted_CountsOnForTheRest_ThenIsNone) {
  DeleteSignature();
  Advance(24h * 11);
  BOOST_TEST(Outcome(Confirm()) == "unsigned");
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  Advance(24h * 20);
  BOOST_TEST(Outcome(Present(kTagged)) == "unsigned");
  BOOST_TEST(Outcome(Pull(kTagged)) == "unsigned");
}

// What the tag is was asked for at each pull; whether the image is still signed was not.
BOOST_AUTO_TEST_CASE(APullByTag_OfWhatIsKnown_ConfirmsNothing) {
  Advance(24h * 20);
  BOOST_TEST(Outcome(Pull(kTagged)) == image);
  GoAway();
  Advance(24h * 11);
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
}

BOOST_AUTO_TEST_CASE(WhereNothingIsSaid_ItCountsForEver) {
  UseFor(0s);
  Reconfigure();
  GoAway();
  Advance(24h * 1000);
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
}

BOOST_AUTO_TEST_CASE(ARuleThatSaysSoFromNowOn_CountsFromWhatIsKnown) {
  UseFor(0s);
  Reconfigure();
  GoAway();
  Advance(24h * 40);
  UseFor(kCounts);
  Reconfigure();
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
  ComeBack();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
}

// trust/RULES.md#time: whether it has been confirmed in time is not told by a clock that was set
// back into that time.
BOOST_AUTO_TEST_CASE(ByAClockThatIsNotBelieved_NothingWasConfirmedInTime) {
  DeleteSignature();
  Advance(24h * 10);
  SetBuildDate(SigningRepository::kNow + 24h * 60);
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == "clock");
  BOOST_TEST(Outcome(Present(by_digest)) == "clock");
  BOOST_TEST(Outcome(Pull(by_digest)) == "clock");
}

// What is found by such a clock takes nothing from what was confirmed before.
BOOST_AUTO_TEST_CASE(WhatIsFoundByAClockThatIsNotBelieved_IsNotWrittenDown) {
  Advance(24h * 40);
  SetWall(SigningRepository::kNow - 24h);
  SetBuildDate(SigningRepository::kNow);
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == "clock");
  SetWall(SigningRepository::kNow + 24h * 29 + 12h);
  Start();
  GoAway();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
