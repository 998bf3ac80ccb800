// SPDX-License-Identifier: Apache-2.0

// A kind for which a tag is the registry's word, behind the whole service: who asks, how often, and
// what stays.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"
#include "trust/decide/decide.h"
#include "trust/io/service/worker_lanes.h"
#include "trust/io/store/state_document.h"
#include "trust/registry_bound/signature_set.h"
#include "trust/registry_bound/tag_time.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_dialect.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kName = CosignNode::kRepository;

BOOST_FIXTURE_TEST_SUITE(RegistryWordTest, CosignNode)

BOOST_AUTO_TEST_CASE(APullByTag_AsksOnceEachTime_AndByKnownDigestNever) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  const std::size_t cold = registry->asked();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  BOOST_TEST(registry->asked() == cold + 1);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(registry->asked() == cold + 1);
}

BOOST_AUTO_TEST_CASE(AMiss_IsRememberedForHalfAMinute_AndForThatNameAlone) {
  const std::string unsigned_digest = Sha256Digest(Sha256Of("other")).ToString();
  BOOST_TEST(Outcome(Pull(kName + "@" + unsigned_digest)) == "unsigned");
  const std::size_t asked = registry->asked();
  BOOST_TEST(Outcome(Pull(kName + "@" + unsigned_digest)) == "unsigned");
  BOOST_TEST(registry->asked() == asked);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  Advance(31s);
  BOOST_TEST(Outcome(Pull(kName + "@" + unsigned_digest)) == "unsigned");
  BOOST_TEST(registry->asked() > asked);
}

BOOST_AUTO_TEST_CASE(ARefusal_SaysTheSameFromMemory) {
  const std::string name = kName + "@" + Sha256Digest(Sha256Of("other")).ToString();
  BOOST_TEST(Found(Pull(name)) == Found(Pull(name)));
}

BOOST_AUTO_TEST_CASE(AfterARestart_WithoutARegistry_WhatWasPulledIsPresent_AndATagIsNot) {
  const Decision pulled = Pull(kName + ":1.0");
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  const std::size_t asked = registry->asked();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(Outcome(Present(kName + ":2.0")) == "tag-not-signed");
  BOOST_TEST(registry->asked() == asked);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unreachable");
}

BOOST_AUTO_TEST_CASE(AKeyTakenOut_TakesItsImagesWithIt_WithoutARegistryToo) {
  const Decision pulled = Pull(kName + ":1.0");
  service().Remember(Ask(kName + ":1.0").reference, pulled);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Use({"key-other.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) != image);
  BOOST_TEST(Outcome(Pull(by_digest)) != image);
  Use({"key-other.pub", "key-p256.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
}

// trust/RULES.md#time

// One that minds when its signatures were made.
SharedDemand InOrderOfTheirTimes() {
  const auto keys = MemoryRegistry::DemandFor({"key-p256.pub"});
  auto demand = std::make_shared<sigstore::SigstoreDemand>();
  demand->image.signer.who = sigstore::AsSigstore(*keys).image.signer.who;
  demand->tag_order = registry_bound::TagOrder::kRefuse;
  demand->fingerprint = Sha256Of("in order");
  return demand;
}

struct NodeWhoseClockJumped : CosignNode {
  static constexpr auto kYear = 365 * 24h;
  // A year ahead, where something is pulled, and back.
  void Jump(const std::string& pulled) {
    SetWall(SigningRepository::kNow + kYear);
    Start();
    BOOST_TEST(Outcome(Pull(pulled)) == image);
    SetWall(SigningRepository::kNow);
  }
};

BOOST_FIXTURE_TEST_CASE(ClockAYearAheadAndBack_KeepsNoKeyFromVouching, NodeWhoseClockJumped) {
  Jump(kName + ":1.0");
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  Start();
  BOOST_TEST(Outcome(Present(by_digest)) == image);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
}

BOOST_AUTO_TEST_CASE(ClockBeforeTheBuild_KeepsNoKeyFromVouching) {
  SetBuildDate(SigningRepository::kNow + 1h);
  Start();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
}

BOOST_FIXTURE_TEST_CASE(ClockAYearAheadAndBack_LocksNobodyOut_OnceARegistryThatARuleNamesAgrees,
                        NodeWhoseClockJumped) {
  Use(InOrderOfTheirTimes());
  Jump(kName + ":1.0");
  Start();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "clock");
  registry->SayDate(SigningRepository::kNow + 2h);
  Advance(31s);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "clock");
  registry->SayDate(SigningRepository::kNow + 2min);
  Advance(31s);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  // The store follows.
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  BOOST_TEST(Outcome(Present(by_digest)) == image);
}

BOOST_FIXTURE_TEST_CASE(ClockAYearAheadAndBack_LocksNobodyOut_WhoAsksByDigestAlone,
                        NodeWhoseClockJumped) {
  Use(InOrderOfTheirTimes());
  Jump(by_digest);
  Start();
  registry->SayDate(SigningRepository::kNow + 2min);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
  const std::size_t asked = registry->asked();
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(registry->asked() == asked);
}

// Who runs pods chooses which registries are asked where a pattern names none.
BOOST_FIXTURE_TEST_CASE(ARegistryThatNoRuleNames_SaysNothingOfTheTime, NodeWhoseClockJumped) {
  const std::string made_up = "made-up.example/anywhere/web:1.0";
  Use(InOrderOfTheirTimes());
  Jump(made_up);
  Start();
  registry->SayDate(SigningRepository::kNow + 2min);
  BOOST_TEST(Outcome(Pull(made_up)) == "clock");
  BOOST_TEST(Outcome(Pull(made_up)) == "clock");
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
}

// trust/RULES.md#files-that-change
BOOST_AUTO_TEST_CASE(AMiss_WaitsForChangedFiles_BeforeAnybodyIsAsked_AndAHitNever) {
  std::function<void()> waiting;
  int looked = 0;
  SetChangedFiles([&](std::function<void()> then) {
    ++looked;
    waiting = std::move(then);
    return true;
  });
  Use({"key-other.pub"});
  Start();
  std::promise<Decision> answer;
  service().Decide(Ask(by_digest),
                   [&](Decision decision) { answer.set_value(std::move(decision)); });
  BOOST_REQUIRE(waiting);
  BOOST_TEST(registry->asked() == 0U);
  Use({"key-p256.pub"});
  Reconfigure();
  std::exchange(waiting, nullptr)();
  BOOST_TEST(Outcome(answer.get_future().get()) == image);
  BOOST_TEST(looked == 1);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(looked == 1);
}

BOOST_AUTO_TEST_CASE(WhereNoFileHasChanged_AMissAsksAtOnce) {
  int looked = 0;
  SetChangedFiles([&](const std::function<void()>&) {
    ++looked;
    return false;
  });
  Start();
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(looked == 1);
}

// trust/RULES.md#asking-for-names
BOOST_AUTO_TEST_CASE(AMiss_IsForgottenWithTheRulesThatItWasUnder) {
  Use({"key-other.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Pull(by_digest)) == "signature");
  Use({"key-other.pub", "key-p256.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
}

BOOST_AUTO_TEST_CASE(ATagThatMoves_IsTheNewDigest_AndTheOldAnswerIsNotTaken) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  registry->With([](MemoryRegistry& held) { held.Tag("1.0", Sha256Digest(Sha256Of("moved"))); });
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unsigned");
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Advance(31s);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unreachable");
}

BOOST_AUTO_TEST_CASE(ADecidedTag_IsNotAskedForAgain) {
  Pull(kName + ":1.0");
  const std::size_t asked = registry->asked();
  registry->With([](MemoryRegistry& held) { held.Tag("1.0", Sha256Digest(Sha256Of("moved"))); });
  Question question = Ask(kName + ":1.0");
  question.named = MemoryRegistry::Image();
  BOOST_TEST(Outcome(service().DecideNow(std::move(question))) == image);
  BOOST_TEST(registry->asked() == asked);
}

BOOST_AUTO_TEST_CASE(ARegistryThatHangs_HoldsUpNobodyElses) {
  std::vector<std::future<Decision>> held_up;
  constexpr int kNames = 20;
  for (int i = 0; i < kNames; ++i) {
    const auto answer = std::make_shared<std::promise<Decision>>();
    held_up.push_back(answer->get_future());
    service().Decide(Ask(CosignNode::kHanging + std::string("web-") + std::to_string(i) + ":1.0"),
                     [answer](Decision decision) { answer->set_value(std::move(decision)); });
  }
  while (registry->hanging() == 0) std::this_thread::sleep_for(1ms);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  BOOST_TEST(Outcome(Pull(kName + "@" + Sha256Digest(Sha256Of("other")).ToString())) == "unsigned");
  // Those who wait are answered when the service ends, which waits for no registry.
  Stop();
  for (auto& answer : held_up) BOOST_TEST(Outcome(answer.get()) == "unreachable");
}

// trust/README.md#what-can-be-full-and-for-whom: who runs pods may name any registry where a
// pattern has no host.
BOOST_AUTO_TEST_CASE(RegistriesThatHang_InAnyNumber_HoldUpNoneThatARuleNames) {
  std::vector<std::future<Decision>> held_up;
  const auto ask = [&](int host, int image_of_it) {
    const auto answer = std::make_shared<std::promise<Decision>>();
    held_up.push_back(answer->get_future());
    service().Decide(Ask(RegistriesFetcher::kHangingToo + std::to_string(host) +
                         ".example/anywhere/web-" + std::to_string(image_of_it) + ":1.0"),
                     [answer](Decision decision) { answer->set_value(std::move(decision)); });
  };
  constexpr int kMost = static_cast<int>(WorkerLanes::kMostForMany);
  for (int host = 0; host < 2 * kMost; ++host) {
    for (int of_it = 0; of_it < 2; ++of_it) ask(host, of_it);
  }
  while (registry->hanging() < kMost) std::this_thread::sleep_for(1ms);
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
  Stop();
  for (auto& answer : held_up) BOOST_TEST(Outcome(answer.get()) == "unreachable");
}

/// A host that takes its time, and then says that it cannot.
class SlowAndAway final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& /*request*/, const Terms& terms) override {
    std::this_thread::sleep_for(300ms);
    if (terms.arrival) terms.arrival->heard = Heard::kAnswer;
    return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork}), std::nullopt};
  }
};

// Both have one collection: what one could not be told is no answer for the other.
BOOST_AUTO_TEST_CASE(OfTwoTrustsOfOneKind_TheOneThatIsAnsweredAllows) {
  AddServer("slow", "").kind = std::string(SigstoreKind().name());
  SetFetcher("slow", std::make_shared<SlowAndAway>());
  Rule rule;
  rule.name = "two";
  rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
  rule.action = Action::kVerify;
  rule.combine = Combine::kAnyOf;
  rule.members = {{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-p256.pub"})},
                  {"slow", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-other.pub"})}};
  SetRules(std::vector<Rule>{rule}, Rule{});
  Start();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == image);
}

// trust/RULES.md#credentials: the registry is whom the pull itself asks, whatever the rule names.
BOOST_AUTO_TEST_CASE(APullsSecret_GoesToItsOwnRegistry_UnderAPatternThatNamesNone) {
  const std::string name = "other.example/anywhere/web:1.0";
  Question question = AskAs(name, "pod");
  service().DecideNow(std::move(question));
  BOOST_REQUIRE(registry->credentials());
  BOOST_TEST(registry->credentials()->username == "pod");
}

// What somebody brought here without a pull.
BOOST_AUTO_TEST_CASE(APreloadedImage_IsAskedAboutByItsDigest_AndNeverByItsTag) {
  registry->With([](MemoryRegistry& held) { held.Tag("1.0", Sha256Digest(Sha256Of("moved"))); });
  Question question = Ask(kName + ":1.0");
  question.local = MemoryRegistry::Image();
  BOOST_TEST(Outcome(service().DecideNow(question)) == "tag-not-signed");
  question.name_here = NameHere::kIsThis;
  BOOST_TEST(Outcome(service().DecideNow(question)) == image);
  // From now on it starts without a registry.
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  const std::size_t asked = registry->asked();
  BOOST_TEST(Outcome(service().DecideNow(question)) == image);
  BOOST_TEST(registry->asked() == asked);
  question.local = Sha256Digest(Sha256Of("moved"));
  BOOST_TEST(Outcome(service().DecideNow(question)) == "unreachable");
}

// With a Notary beside it, which signs the tag.
struct BothNode : CosignNode {
  enum class First { kNotary, kCosign };
  void Rules(First first) {
    Rule rule = VerifyRule("127.0.0.1:5055/**", kName);
    const Member cosign{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-p256.pub"})};
    rule.members.insert(first == First::kCosign ? rule.members.begin() : rule.members.end(),
                        cosign);
    rule.combine = Combine::kAllOf;
    SetRules(std::vector<Rule>{rule}, Rule{});
    Start();
  }
  void NotarySigns(const Sha256Digest& digest) {
    server().With(kName, [&](SigningRepository& repository) {
      repository.Sign("targets", "1.0", digest);
      repository.Publish();
    });
  }
  void RegistrySays(const Sha256Digest& digest) {
    registry->With([&](MemoryRegistry& held) { held.Tag("1.0", digest); });
  }
  const Sha256Digest other{Sha256Of("other")};
};

// trust/RULES.md#several-trusts
BOOST_FIXTURE_TEST_CASE(AllOf_JudgesTheDigestThatIsSignedForTheTag_WhateverTheRegistrySays,
                        BothNode) {
  for (const First first : {First::kNotary, First::kCosign}) {
    NotarySigns(MemoryRegistry::Image());
    RegistrySays(other);
    Rules(first);
    const Decision decision = Pull(kName + ":1.0");
    BOOST_TEST(Outcome(decision) == image);
    BOOST_TEST((BindingOf(decision) == Evidence::Binding::kSigned));
    service().Remember(Ask(kName + ":1.0").reference, decision);
    BOOST_TEST(Outcome(Present(kName + ":1.0")) == image);
  }
}

BOOST_FIXTURE_TEST_CASE(AllOf_RefusesWhatOneSignsForTheTag_AndTheOtherDoesNotSign, BothNode) {
  for (const First first : {First::kNotary, First::kCosign}) {
    // The registry shows the one digest that cosign's key did sign.
    NotarySigns(other);
    RegistrySays(MemoryRegistry::Image());
    Rules(first);
    BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unsigned");
    BOOST_TEST(Outcome(Pull(by_digest)) == "digest-not-signed");
    BOOST_TEST(Outcome(Present(kName + ":1.0")) != image);
  }
}

BOOST_FIXTURE_TEST_CASE(AllOf_RefusesATagThatTheOtherDoesNotSign, BothNode) {
  NotarySigns(MemoryRegistry::Image());
  registry->With([](MemoryRegistry& held) { held.Tag("2.0", MemoryRegistry::Image()); });
  Rules(First::kCosign);
  BOOST_TEST(Outcome(Pull(kName + ":2.0")) == "tag-not-signed");
}

BOOST_FIXTURE_TEST_CASE(AllOf_WhereTheRegistryIsAway_IsUnreachable, BothNode) {
  NotarySigns(MemoryRegistry::Image());
  Rules(First::kNotary);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "unreachable");
}

// What the store cannot list it would take for damage, and nothing of the repository would count:
// whoever may push tags and sign must not be able to make it so.
BOOST_AUTO_TEST_CASE(AsManySignaturesAndTagsAsAreKept_AreListedByTheStore) {
  using registry_bound::SignatureSet;
  std::vector<registry_bound::StoredSignature> many;
  Floors times;
  for (std::size_t i = 0; i < SignatureSet::kMaxImages; ++i) {
    for (std::size_t of_image = 0; of_image < SignatureSet::kMaxOfImage; ++of_image) {
      many.push_back({Sha256Digest(Sha256Of("image " + std::to_string(i))), wall(),
                      sigstore::BundleBytes(std::to_string(i * 10 + of_image))});
    }
    std::string longest = std::to_string(i);
    longest.resize(128, 't');
    registry_bound::RaiseTagTime(times, longest, wall() + std::chrono::seconds(i));
  }
  const CollectionId id = SigstoreKind().IdOf("", kName);
  const auto set = SignatureSet(id, sigstore::Dialect()).With(std::move(many));
  Manifest manifest{.id = id, .files = {}, .floors = times, .verified_at = wall()};
  for (const StoredFile& file : set->Files(nullptr)) manifest.files.emplace(file.name, file.sha256);
  BOOST_TEST(manifest.files.size() == SignatureSet::kMaxImages * SignatureSet::kMaxOfImage);
  BOOST_TEST(times.size() == registry_bound::kMaxTagTimes);
  const std::string text = WriteManifest(manifest);
  BOOST_TEST(text.size() <= kMaxManifestBytes);
  BOOST_TEST((ReadManifest(text).value() == manifest));
}

BOOST_AUTO_TEST_CASE(UnsignedNames_LeaveNothingOnTheDisk) {
  for (int i = 0; i < 5; ++i) {
    Pull("127.0.0.1:5055/made/up-" + std::to_string(i) + ":1.0");
  }
  Start();
  BOOST_TEST(service().Status().repositories.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
