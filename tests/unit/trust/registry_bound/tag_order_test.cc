// SPDX-License-Identifier: Apache-2.0

// A tag is the registry's word: what becomes of one that goes back to what was signed earlier.

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/trust/memory_registry.h"
#include "trust/decide/evidence_holder.h"
#include "trust/registry_bound/signature_set.h"
#include "trust/registry_bound/tag_time.h"
#include "trust/sigstore/sigstore_demand.h"
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
    std::string_view text = signature.bytes();
    std::int64_t second = 0;
    if (!text.starts_with(who)) return RefuseSignature(SignatureReason::kSignature, "not theirs");
    text.remove_prefix(who.size());
    const auto read = std::from_chars(text.data(), text.data() + text.size(), second);
    if (read.ptr == text.data()) {
      return RefuseSignature(SignatureReason::kSignature, "not a second");
    }
    if (second == 0) return VerifiedSignature{"somebody", {}};
    return VerifiedSignature{"somebody", {TimePoint(std::chrono::seconds{second})}};
  }
  bool ProvesTimes() const override { return true; }

  std::string who;  ///< what their signatures begin with
};

/// Two images, each signed at its time, and a node that pulls a tag.
struct Node {
  explicit Node(TagOrder order) : demand(std::make_shared<Timed>(order)) {}

  MemoryRegistry registry;
  SharedDemand demand;
  SharedDemand beside = {};  ///< another rule's
  TimePoint now = kNow;
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
                         .now = now,
                         .local = local,
                         .name_here = NameHere::kIsThis,
                         .answer = answer});
  }
  Judgement Pull(const std::string& suffix) {
    const ImageReference reference = ImageReference::Parse(kRepository + suffix).value();
    RefreshStart start{.id = kId, .previous = set, .demands = {demand}, .now = now};
    if (beside) start.demands.push_back(beside);
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
    RefreshStart start{.id = kId, .source = RefreshStart::Source::kStore, .now = now};
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

BOOST_AUTO_TEST_CASE(ATagWhoseFloorIsForgotten_MayGoBack_AndNoOther) {
  Node node(TagOrder::kRefuse);
  node.Sign(kOld, kSecondsNow - 200);
  node.Sign(kNew, kSecondsNow - 100);
  node.registry.Tag("2.0", kNew);
  BOOST_TEST(Outcome(node.Pull(":2.0")) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "rollback");
  const auto& held = dynamic_cast<const EvidenceHolder&>(*node.set);
  BOOST_TEST((held.FloorOf("1.0").own == kNow - std::chrono::seconds{100}));
  node.set = held.WithoutFloorOf("1.0").set;
  BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
  node.registry.Tag("2.0", kOld);
  BOOST_TEST(Outcome(node.Pull(":2.0")) == "rollback");
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

BOOST_AUTO_TEST_CASE(ASignatureWhoseTimeNothingProves_IsOfNoOrder_UnlessTheRuleMinds) {
  for (const TagOrder order : {TagOrder::kWarn, TagOrder::kRefuse}) {
    Node node(order);
    node.Sign(kOld, 0);
    node.Sign(kNew, kSecondsNow - 100);
    BOOST_TEST(Outcome(node.PullAt(kOld)) == "allowed");
    BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
    const Judgement back = node.PullAt(kOld);
    BOOST_TEST(Outcome(back) == (order == TagOrder::kWarn ? "allowed" : "rollback"));
    BOOST_TEST(!back.evidence.tag_went_back);
  }
}

// Whoever holds the registry takes the log's promise, which nobody signed in, out of a bundle.
BOOST_AUTO_TEST_CASE(AProofOfTimeThatIsTakenOut_IsNoWayPastTheOrder) {
  const auto demand = std::make_shared<sigstore::SigstoreDemand>();
  demand->image.signer.who = sigstore::KeyDemand{
      {VerificationKey::FromPem(MemoryRegistry::TestData("trust/key-p256.pub")).value()}};
  demand->image.signer.root =
      sigstore::TrustedRoot::Parse(MemoryRegistry::TestData("trust/trusted_root.json")).value();
  demand->image.signer.logs = 1;
  demand->tag_order = TagOrder::kRefuse;
  const std::string whole = MemoryRegistry::TestData("bundles/key-log-good.json");
  auto json = nlohmann::json::parse(whole);
  json["verificationMaterial"]["tlogEntries"][0].erase("inclusionPromise");
  for (const std::string& bundle : {whole, json.dump()}) {
    Node node(TagOrder::kRefuse);
    node.demand = demand;
    node.now = TimePoint{std::chrono::seconds{1'795'300'000}};
    node.registry.PutBundle(bundle);
    // The tag was at what was signed later.
    Floors floors;
    RaiseTagTime(floors, "1.0", TimePoint{std::chrono::seconds{1'795'200'000}});
    node.Restart(floors);
    BOOST_TEST(Outcome(node.PullAt(MemoryRegistry::Image())) == "rollback");
    BOOST_TEST(Outcome(node.Pull("@" + MemoryRegistry::Image().ToString())) == "allowed");
  }
}

// Two rules of two tenants, or two members of one all_of, each with its own signer.
BOOST_AUTO_TEST_CASE(WhatOneSignerSignsLater_RefusesNobodyElsesSameImage) {
  for (const TagOrder order : {TagOrder::kWarn, TagOrder::kRefuse}) {
    Node node(order);
    const auto theirs = std::make_shared<Timed>(order);
    theirs->who = "theirs ";
    theirs->fingerprint = Sha256Of("theirs");
    node.beside = theirs;
    node.Sign(kNew, kSecondsNow - 200);
    BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
    node.registry.PutBundle("theirs " + std::to_string(kSecondsNow - 100), kNew);
    std::swap(node.demand, node.beside);
    BOOST_TEST(Outcome(node.PullAt(kNew)) == "allowed");
    std::swap(node.demand, node.beside);
    const Judgement again = node.PullAt(kNew);
    BOOST_TEST(Outcome(again) == "allowed");
    BOOST_TEST(!again.evidence.tag_went_back);
  }
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
