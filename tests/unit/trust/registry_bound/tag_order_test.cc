// SPDX-License-Identifier: Apache-2.0

// A tag is the registry's word: what becomes of one that goes back to what was signed earlier.

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <memory>
#include <string>

#include "tests/support/trust/memory_registry.h"
#include "trust/registry_bound/signature_set.h"
#include "trust/registry_bound/tag_time.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust::registry_bound {
namespace {

const std::string kRepository = "registry.example/shop/web";
const CollectionId kId{"sigstore", "registry", kRepository};
constexpr std::int64_t kSecondsNow = 1'790'000'000;
constexpr TimePoint kNow{std::chrono::seconds{kSecondsNow}};
const Sha256Digest kOld(Sha256Of("the older image"));
const Sha256Digest kNew(Sha256Of("the newer image"));

/// Whose signatures are the second at which they were made, as text.
struct Timed final : SignatureDemand {
  explicit Timed(TagOrder order) {
    tag_order = order;
    fingerprint = Sha256Of(order == TagOrder::kWarn ? "warn" : "refuse");
  }
  SignatureResult<VerifiedSignature> Verify(const SignatureBytes& signature,
                                            const WantedImage& /*image*/,
                                            TimePoint /*at*/) const override {
    const std::string& text = signature.bytes();
    std::int64_t second = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), second);
    if (read.ptr == text.data()) {
      return RefuseSignature(SignatureReason::kSignature, "not a second");
    }
    if (second == 0) return VerifiedSignature{"somebody", {}};
    return VerifiedSignature{"somebody", {TimePoint(std::chrono::seconds{second})}};
  }
};

/// Two images, each signed at its time, and a node that pulls a tag.
struct Node {
  explicit Node(TagOrder order) : demand(std::make_shared<Timed>(order)) {}

  MemoryRegistry registry;
  SharedDemand demand;
  std::shared_ptr<const TrustedSet> set = SigstoreKind().Empty(kId);
  Floors stored = {};

  void Sign(const Sha256Digest& image, std::int64_t second) {
    registry.PutBundle(std::to_string(second), image);
  }
  Judgement Asked(const ImageReference& reference, const NameAnswer* answer,
                  const RefreshFailure* failure, const Sha256Digest* local = nullptr) const {
    return set->Current({.reference = reference,
                         .demand = *demand,
                         .failure = failure,
                         .now = kNow,
                         .local = local,
                         .name_here = NameHere::kIsThis,
                         .answer = answer});
  }
  Judgement Pull(const std::string& suffix) {
    const ImageReference reference = ImageReference::Parse(kRepository + suffix).value();
    RefreshStart start{.id = kId, .previous = set, .demands = {demand}, .now = kNow};
    start.asked = AskedName{reference};
    const auto refresh = SigstoreKind().Begin(std::move(start));
    while (const auto wanted = refresh->Wanted()) refresh->Supply(registry.Answer(*wanted));
    RefreshOutcome outcome = refresh->Finish();
    if (!outcome) return Asked(reference, nullptr, &outcome.error());
    set = outcome->set;
    return Asked(reference, outcome->answer.get(), nullptr);
  }
  Judgement PullAt(const Sha256Digest& image) {
    registry.Tag("1.0", image);
    return Pull(":1.0");
  }
  // As after a restart: what the store keeps of a set are its files and its floors.
  void Restart() { Restart(set->floors()); }
  void Restart(Floors floors) {
    RefreshStart start{.id = kId, .source = RefreshStart::Source::kStore, .now = kNow};
    start.floors = std::move(floors);
    set = SigstoreKind().Begin(std::move(start))->Finish()->set;
  }
};

std::string Outcome(const Judgement& judgement) {
  const auto refused = RefusalOf(judgement.verdict);
  return refused ? std::string(CodeOf(refused->reason)) : "allowed";
}

BOOST_AUTO_TEST_SUITE(TagOrderTest)

BOOST_AUTO_TEST_CASE(ATagThatGoesBack_IsToldByDefault_AndAllowed) {
  Node node(TagOrder::kWarn);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  BOOST_TEST(!node.PullAt(kOld).evidence.tag_went_back);
  BOOST_TEST(!node.PullAt(kNew).evidence.tag_went_back);
  const Judgement back = node.PullAt(kOld);
  BOOST_TEST(Outcome(back) == "allowed");
  BOOST_TEST((back.evidence.tag_went_back == kNow - std::chrono::seconds{100}));
}

BOOST_AUTO_TEST_CASE(ATagThatGoesBack_WhereTheRuleMinds_IsRefused_AfterARestartToo) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
  const Judgement back = node.PullAt(kOld);
  BOOST_TEST(Outcome(back) == "rollback");
  BOOST_TEST(RefusalOf(back.verdict)->found.find(kOld.ToString() + " was signed at ") == 0U);
  node.Restart();
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "rollback");
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
}

BOOST_AUTO_TEST_CASE(WhatIsHere_AndWhatIsPulledByItsDigest_IsOfNoOrder) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  node.PullAt(kOld);
  node.PullAt(kNew);
  BOOST_TEST(Outcome(node.Pull("@" + kOld.ToString())) == "allowed");
  const auto reference = ImageReference::Parse(kRepository + ":1.0").value();
  BOOST_TEST(Outcome(node.Asked(reference, nullptr, nullptr, &kOld)) == "allowed");
  node.registry.Tag("2.0", kOld);
  BOOST_TEST(Outcome(node.Pull(":2.0")) == "allowed");
}

// A publisher who means to go back signs again.
BOOST_AUTO_TEST_CASE(AnOlderImage_SignedAnew_IsAllowed) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  node.PullAt(kOld);
  node.PullAt(kNew);
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "rollback");
  node.Sign(kOld, kSecondsNow - 50);
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "rollback");
}

BOOST_AUTO_TEST_CASE(ATimeInTheFuture_KeepsNothingOut) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow + 3600);
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
}

BOOST_AUTO_TEST_CASE(ASignatureWhoseTimeNothingProves_IsOfNoOrder) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, 0);
  node.Sign(kNew, kSecondsNow - 100);
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
}

// Whoever may push tags gives many names to what is signed, and runs a pod of each.
BOOST_AUTO_TEST_CASE(WhoFillsTheTimesOfTags_PushesNoneOut) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
  Floors times = node.set->floors();
  for (std::size_t n = 0; n <= 2 * kMaxTagTimes; ++n) {
    RaiseTagTime(times, "made-up-" + std::to_string(n), kNow - std::chrono::seconds{50});
  }
  node.Restart(std::move(times));
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "rollback");
  BOOST_TEST(Outcome(node.Pull("@" + kOld.ToString())) == "allowed");
  // Whoever signs anew is heard, as ever.
  node.Sign(kOld, kSecondsNow - 20);
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
}

BOOST_AUTO_TEST_CASE(TagTimes_BeyondTheCap_LeaveTheOldestOut_AndNoTimeFalls) {
  const auto second = [](std::size_t n) { return TimePoint(std::chrono::seconds{n}); };
  Floors times;
  for (std::size_t n = 1; n <= kMaxTagTimes; ++n) RaiseTagTime(times, std::to_string(n), second(n));
  BOOST_TEST(!TagTime(times, "never seen"));
  RaiseTagTime(times, "newer", second(kMaxTagTimes + 1));
  BOOST_TEST(times.size() == kMaxTagTimes + 1);
  BOOST_TEST((TagTime(times, "1") == second(1)));
  BOOST_TEST((TagTime(times, "never seen") == second(1)));
  BOOST_TEST((TagTime(times, "2") == second(2)));
  RaiseTagTime(times, "2", second(1));
  BOOST_TEST((TagTime(times, "2") == second(2)));
  BOOST_TEST(!RaisesTagTime(times, "1", second(1), kNow));
  RaiseTagTime(times, "1", second(kMaxTagTimes + 2));
  BOOST_TEST((TagTime(times, "1") == second(kMaxTagTimes + 2)));
  BOOST_TEST((TagTime(times, "never seen") == second(2)));
  BOOST_TEST(times.size() == kMaxTagTimes + 1);
}

BOOST_AUTO_TEST_CASE(TagTimes_OfOneMoment_AreOneBeyondTheCap) {
  Floors times;
  for (std::size_t n = 0; n <= kMaxTagTimes; ++n) RaiseTagTime(times, std::to_string(n), kNow);
  BOOST_TEST(times.size() == 1U);
  BOOST_TEST((TagTime(times, "0") == kNow));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::registry_bound
