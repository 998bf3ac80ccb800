// SPDX-License-Identifier: Apache-2.0

// What a registry may answer about one image, and what becomes of it: in the set, in the store, and
// under another demand.

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <string>

#include "tests/support/trust/memory_registry.h"
#include "trust/registry_bound/signature_search.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_dialect.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust::sigstore {
namespace {

const std::string kRepository = "127.0.0.1:5055/acme/web";
const CollectionId kId{"sigstore", "registry", kRepository};
constexpr TimePoint kNow{std::chrono::seconds{1'790'000'000}};

ImageReference Ref(const std::string& suffix) {
  return ImageReference::Parse(kRepository + suffix).value();
}

std::string ByDigest() { return "@" + MemoryRegistry::Image().ToString(); }

struct Node {
  MemoryRegistry registry;
  Demands demands{MemoryRegistry::DemandFor({"key-p256.pub"})};
  std::shared_ptr<const TrustedSet> set = SigstoreKind().Empty(kId);
  Records records;

  RefreshOutcome Refreshed(const std::string& suffix) {
    RefreshStart start{.id = kId, .previous = set, .demands = demands, .now = kNow};
    start.asked = AskedName{Ref(suffix)};
    return Driven(std::move(start));
  }
  RefreshOutcome Driven(RefreshStart start) {
    const auto refresh = SigstoreKind().Begin(std::move(start));
    while (const auto wanted = refresh->Wanted()) refresh->Supply(registry.Answer(*wanted));
    return refresh->Finish();
  }
  // As a question does it: what is known, else one refresh, and then what is known.
  Judgement Pull(const std::string& suffix, const SharedDemand& demand) {
    const ImageReference reference = Ref(suffix);
    TrustedSet::Asked asked{.reference = reference, .demand = *demand, .now = kNow};
    Judgement known = set->Current(asked);
    if (!known.asks) return known;
    RefreshOutcome outcome = Refreshed(suffix);
    if (outcome) {
      set = outcome->set;
      asked.answer = outcome->answer.get();
      return set->Current(asked);
    }
    asked.failure = &outcome.error();
    return set->Current(asked);
  }
  Judgement Pull(const std::string& suffix) { return Pull(suffix, demands.front()); }
  Judgement Present(const std::string& suffix, const Sha256Digest& local) const {
    const ImageReference reference = Ref(suffix);
    return set->Current({.reference = reference,
                         .demand = *demands.front(),
                         .records = &records,
                         .now = kNow,
                         .local = &local});
  }
};

std::string Outcome(const Judgement& judgement) {
  if (const auto* allow = std::get_if<Allow>(&judgement.verdict)) return allow->digest->ToString();
  if (const auto* deny = std::get_if<Deny>(&judgement.verdict)) {
    return std::string(CodeOf(deny->reason));
  }
  return std::string(CodeOf(std::get<Unavailable>(judgement.verdict).reason));
}

std::string Good() { return MemoryRegistry::TestData("bundles/key-p256-good.json"); }

BOOST_AUTO_TEST_SUITE(SigstoreRefreshTest)

BOOST_AUTO_TEST_CASE(ATag_IsResolved_AndTheDigestThatVerifiedIsAllowed) {
  Node node;
  node.registry.Tag("1.0", MemoryRegistry::Image());
  node.registry.PutBundle(Good());
  const Judgement judgement = node.Pull(":1.0");
  BOOST_TEST(Outcome(judgement) == MemoryRegistry::Image().ToString());
  BOOST_TEST(judgement.evidence.tag.value() == "1.0");
  BOOST_CHECK(judgement.evidence.binding == Evidence::Binding::kRegistry);
}

BOOST_AUTO_TEST_CASE(AKnownDigest_CostsNoRequest_AndItsTagOne) {
  Node node;
  node.registry.Tag("1.0", MemoryRegistry::Image());
  node.registry.PutBundle(Good());
  node.Pull(":1.0");
  const std::size_t cold = node.registry.asked();
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
  BOOST_TEST(node.registry.asked() == cold);
  BOOST_TEST(Outcome(node.Pull(":1.0")) == MemoryRegistry::Image().ToString());
  BOOST_TEST(node.registry.asked() == cold + 1);
}

BOOST_AUTO_TEST_CASE(AMovedTag_IsTheRegistrysWord_AndItsNewDigestHasToBeSigned) {
  Node node;
  node.registry.Tag("1.0", MemoryRegistry::Image());
  node.registry.PutBundle(Good());
  node.Pull(":1.0");
  node.registry.Tag("1.0", Sha256Digest(Sha256Of("other")));
  BOOST_TEST(Outcome(node.Pull(":1.0")) == "unsigned");
}

BOOST_AUTO_TEST_CASE(LegacySignatures_OneGoodAmongSixtyBad_Suffices) {
  for (const char* name : {"ss-key-good", "ss-key-sixty-bad-one-good", "ss-key-second-good"}) {
    BOOST_TEST_CONTEXT(name) {
      Node node;
      node.registry.PutLegacy(name);
      BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
    }
  }
}

BOOST_AUTO_TEST_CASE(AWorthlessBundle_HidesNoLegacySignature) {
  Node node;
  node.registry.PutBundle("{}");
  node.registry.PutLegacy("ss-key-good");
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
}

BOOST_AUTO_TEST_CASE(APlaceThatCannotBeAsked_IsNeverUnsigned) {
  Node node;
  node.registry.FailFor("sha256-" + ToHex(MemoryRegistry::Image().bytes()) + ".sig");
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == "unreachable");
  node.registry.FailFor("");
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == "unsigned");
}

BOOST_AUTO_TEST_CASE(ABundleWhoseBytesAreWithheld_IsNotUnsigned) {
  Node node;
  node.registry.PutBundle(Good());
  node.registry.HideBlobs();
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == "unreachable");
}

BOOST_AUTO_TEST_CASE(AMirrorWithWorthlessSignatures_IsAskedPast) {
  Node node;
  MemoryRegistry upstream;
  upstream.PutBundle(Good());
  node.registry.PutBundle("{}");
  node.registry.BeMirrorOf(&upstream);
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
}

BOOST_AUTO_TEST_CASE(ManyWorthlessBundles_AreCutOff_AndThatIsNotUnsigned) {
  Node node;
  for (int i = 0; i < 40; ++i) node.registry.PutBundle("{\"" + std::to_string(i) + "\":1}");
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == "too-many");
  BOOST_TEST(node.registry.asked() <= registry_bound::SignatureSearch::kMaxRequests);
}

BOOST_AUTO_TEST_CASE(AnAttestation_IsNoImageSignature) {
  Node node;
  node.registry.PutBundle(MemoryRegistry::TestData("bundles/key-predicate-attestation.json"));
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == "not-an-image-signature");
}

BOOST_AUTO_TEST_CASE(AKeyThatLeftTheRule_TakesItsImagesWithIt) {
  Node node;
  node.registry.PutBundle(Good());
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
  const SharedDemand other = MemoryRegistry::DemandFor({"key-other.pub"});
  const ImageReference reference = Ref(ByDigest());
  const Judgement now = node.set->Current({.reference = reference, .demand = *other, .now = kNow});
  BOOST_TEST(Outcome(now) != MemoryRegistry::Image().ToString());
  BOOST_TEST(now.asks);
  node.demands = {other};
  BOOST_TEST(Outcome(node.Pull(ByDigest(), other)) == "signature");
}

BOOST_AUTO_TEST_CASE(TwoRules_EachGetsItsOwnAnswer) {
  Node node;
  const SharedDemand other = MemoryRegistry::DemandFor({"key-other.pub"});
  node.demands.push_back(other);
  node.registry.PutBundle(Good());
  BOOST_TEST(Outcome(node.Pull(ByDigest(), other)) == "signature");
  BOOST_TEST(Outcome(node.Pull(ByDigest())) == MemoryRegistry::Image().ToString());
}

BOOST_AUTO_TEST_CASE(WhatIsPresent_CountsUnderTheTagThatThisNodePulledItFor) {
  Node node;
  node.registry.PutBundle(Good());
  node.Pull(ByDigest());
  const std::size_t asked = node.registry.asked();
  const Judgement other_tag = node.Present(":1.0", MemoryRegistry::Image());
  BOOST_TEST(Outcome(other_tag) == "tag-not-signed");
  BOOST_TEST(!other_tag.asks);
  node.records = {
      {"1.0", MemoryRegistry::Image(), {{"signature", {"key"}}}, Sha256{}, {"key"}, kNow}};
  BOOST_TEST(Outcome(node.Present(":1.0", MemoryRegistry::Image())) ==
             MemoryRegistry::Image().ToString());
  BOOST_TEST(Outcome(node.Present(":2.0", MemoryRegistry::Image())) == "tag-not-signed");
  BOOST_TEST(Outcome(node.Present(ByDigest(), MemoryRegistry::Image())) ==
             MemoryRegistry::Image().ToString());
  BOOST_TEST(node.registry.asked() == asked);
}

BOOST_AUTO_TEST_CASE(WhatIsStored_IsVerifiedAgain_AndKeepsItsFirstTime) {
  for (const bool legacy : {false, true}) {
    Node node;
    if (legacy) node.registry.PutLegacy("ss-key-good");
    if (!legacy) node.registry.PutBundle(Good());
    const RefreshOutcome outcome = node.Refreshed(ByDigest());
    BOOST_REQUIRE(outcome);
    BOOST_REQUIRE_EQUAL(outcome->files.size(), 1U);
    const StoredFile file = outcome->files.front();
    const auto load = [&](const std::string& bytes) {
      RefreshStart start{.id = kId, .source = RefreshStart::Source::kStore};
      start.stored = {file.name, "../../etc/passwd", "not-a-name"};
      const auto refresh = SigstoreKind().Begin(std::move(start));
      while (const auto wanted = refresh->Wanted()) refresh->Supply(FetchedFile(bytes));
      return refresh->Finish()->set;
    };
    node.set = load(*file.bytes);
    node.registry.GoAway();
    const Judgement loaded = node.Pull(ByDigest());
    BOOST_TEST(Outcome(loaded) == MemoryRegistry::Image().ToString());
    BOOST_TEST((loaded.evidence.verified_at == kNow));
    std::string damaged = *file.bytes;
    damaged[damaged.size() / 2] ^= 1;
    node.set = load(damaged);
    BOOST_TEST(Outcome(node.Pull(ByDigest())) == "unreachable");
  }
}

SharedDemand Keyless(const std::string& subject, const std::string& trusted_root,
                     std::chrono::seconds max_age = std::chrono::seconds{0}) {
  auto demand = std::make_shared<SigstoreDemand>();
  demand->image.signer.root =
      *TrustedRoot::Parse(MemoryRegistry::TestData("trust/" + trusted_root));
  demand->image.signer.logs = 1;
  KeylessDemand keyless;
  keyless.identities.push_back(
      {TextPattern::Literally("https://token.actions.example"), *TextPattern::Parse(subject)});
  demand->image.signer.who = keyless;
  demand->max_age = max_age;
  demand->fingerprint = Sha256Of(subject + trusted_root + std::to_string(max_age.count()));
  return demand;
}

// Of both forms all that a certificate and a log need is kept; and today's identities and trusted
// root judge it.
BOOST_AUTO_TEST_CASE(KeylessSignatures_OutliveTheRegistry_UnderTodaysIdentitiesAndRoot) {
  const std::string subject = "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/*";
  for (const bool legacy : {false, true}) {
    BOOST_TEST_CONTEXT("legacy " << legacy) {
      Node node;
      node.demands = {Keyless(subject, "trusted_root.json")};
      legacy ? node.registry.PutLegacy("ss-keyless-good")
             : node.registry.PutBundle(MemoryRegistry::TestData("bundles/keyless-good.json"));
      const RefreshOutcome outcome = node.Refreshed(ByDigest());
      BOOST_REQUIRE(outcome);
      BOOST_REQUIRE_EQUAL(outcome->files.size(), 1U);
      RefreshStart start{.id = kId, .source = RefreshStart::Source::kStore};
      start.stored = {outcome->files.front().name};
      const RefreshOutcome loaded = [&] {
        const auto refresh = SigstoreKind().Begin(std::move(start));
        while (refresh->Wanted()) refresh->Supply(FetchedFile(*outcome->files.front().bytes));
        return refresh->Finish();
      }();
      BOOST_REQUIRE(loaded);
      node.set = loaded->set;
      node.registry.GoAway();
      const std::string image = MemoryRegistry::Image().ToString();
      BOOST_TEST(Outcome(node.Pull(ByDigest())) == image);
      BOOST_TEST(Outcome(node.Pull(ByDigest(), Keyless(subject + "x", "trusted_root.json"))) !=
                 image);
      BOOST_TEST(Outcome(node.Pull(ByDigest(), Keyless(subject, "root_ca_ended.json"))) != image);
      BOOST_TEST(Outcome(node.Pull(ByDigest(), Keyless(subject, "root_no_tlog.json"))) != image);
    }
  }
}

BOOST_AUTO_TEST_CASE(MaxAge_CountsFromTheNewestProvenTime_ForWhatIsNewToTheNode) {
  constexpr std::chrono::hours kAge{24};
  const std::string subject = "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/*";
  const SharedDemand ever = Keyless(subject, "trusted_root.json");
  const SharedDemand aged = Keyless(subject, "trusted_root.json", kAge);
  const auto bytes = BundleBytes(MemoryRegistry::TestData("bundles/keyless-good.json"));
  const WantedImage image{
      .digest = MemoryRegistry::Image(), .repository = kRepository, .tag = std::nullopt};
  const auto verify = [&](const SharedDemand& demand, TimePoint at) {
    return registry_bound::AsSignatureDemand(*demand).Verify(bytes, image, at);
  };
  const auto verified = verify(ever, kNow);
  BOOST_REQUIRE(verified && !verified->times.empty());
  const TimePoint signed_at = verified->times.back();
  BOOST_CHECK(verify(aged, signed_at + kAge));
  const auto late = verify(aged, signed_at + kAge + std::chrono::seconds{1});
  BOOST_REQUIRE(!late);
  BOOST_CHECK(late.error().reason == SignatureReason::kTooOld);

  // What was verified in time goes on.
  const ImageReference reference = Ref(ByDigest());
  const TimePoint years_later = signed_at + 1000 * kAge;
  for (const bool in_time : {true, false}) {
    const auto set = registry_bound::SignatureSet(kId, Dialect())
                         .With({{image.digest, in_time ? signed_at : years_later, bytes}});
    const std::string outcome =
        Outcome(set->Current({.reference = reference, .demand = *aged, .now = years_later}));
    BOOST_TEST(outcome == (in_time ? image.digest.ToString() : "too-old"));
  }
}

// A clock that is years off changes nothing: what counted when it was signed counts.
BOOST_AUTO_TEST_CASE(ThePresentTime_HasNoPartInTheVerdict) {
  const std::string subject = "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/*";
  const SharedDemand demand = Keyless(subject, "trusted_root.json");
  const WantedImage image{
      .digest = MemoryRegistry::Image(), .repository = kRepository, .tag = std::nullopt};
  constexpr std::chrono::hours kCentury{24 * 365 * 100};
  for (const TimePoint at : {TimePoint{}, kNow - kCentury, kNow, kNow + kCentury}) {
    const auto verdict = [&](const std::string& bundle) {
      return registry_bound::AsSignatureDemand(*demand)
          .Verify(BundleBytes(MemoryRegistry::TestData("bundles/" + bundle)), image, at)
          .has_value();
    };
    BOOST_TEST(verdict("keyless-good.json"));
    BOOST_TEST(verdict("keyless-v2-good.json"));
    BOOST_TEST(!verdict("keyless-tsa-late.json"));
  }
}

BOOST_AUTO_TEST_CASE(MaxAge_OfASignatureWhoseTimeNothingProves_RefusesIt) {
  SigstoreDemand demand;
  demand.image.signer.who =
      KeyDemand{{VerificationKey::FromPem(MemoryRegistry::TestData("trust/key-p256.pub")).value()}};
  const WantedImage image{
      .digest = MemoryRegistry::Image(), .repository = kRepository, .tag = std::nullopt};
  BOOST_CHECK(demand.Verify(BundleBytes(Good()), image, kNow));
  demand.max_age = std::chrono::hours{1};
  const auto refused = demand.Verify(BundleBytes(Good()), image, kNow);
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().reason == SignatureReason::kTimestamp);
}

BOOST_AUTO_TEST_CASE(ASetThatSomebodyElseCommittedMeanwhile_IsBuiltUpon) {
  Node node;
  node.registry.PutBundle(Good());
  const RefreshOutcome outcome = node.Refreshed(ByDigest());
  BOOST_REQUIRE(outcome);
  const Committed again = outcome->onto(SigstoreKind().Empty(kId));
  BOOST_TEST(again.changed);
  const ImageReference reference = Ref(ByDigest());
  BOOST_TEST(Outcome(again.set->Current(
                 {.reference = reference, .demand = *node.demands.front(), .now = kNow})) ==
             MemoryRegistry::Image().ToString());
}

BOOST_AUTO_TEST_CASE(SignaturesBeyondTheCap_LeaveTheOldestOut) {
  registry_bound::SignatureSet set(kId, Dialect());
  std::vector<registry_bound::StoredSignature> many;
  for (int i = 0; i < 10; ++i) {
    many.push_back(
        {MemoryRegistry::Image(), kNow + std::chrono::seconds(i), BundleBytes(std::to_string(i))});
  }
  const auto held = set.With(std::move(many));
  BOOST_TEST(held->Files(nullptr).size() == registry_bound::SignatureSet::kMaxOfImage);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
