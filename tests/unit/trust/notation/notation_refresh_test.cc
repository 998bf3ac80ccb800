// SPDX-License-Identifier: Apache-2.0

// What a registry may hold of notation's signatures beside one image, and what becomes of it: when
// it is read, once it has aged, and under another demand.

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "trust/notation/notation_demand.h"
#include "trust/notation/notation_dialect.h"
#include "trust/notation/notation_kind.h"
#include "trust/registry_bound/signature_search.h"

namespace crivet::trust::notation {
namespace {

using namespace std::chrono_literals;

const std::string kRepository = "127.0.0.1:5055/acme/web";
const CollectionId kId{"notation", "registry", kRepository};
const TimePoint kNow = ParseRfc3339("2026-11-28T20:00:00Z").value();
constexpr char kType[] = "application/vnd.cncf.notary.signature";
constexpr char kJws[] = "application/jose+json";
constexpr char kCose[] = "application/cose";

struct Wanted {
  std::string ca = "trust/notation/ca-acme.pem";
  std::string tsa = "";
  std::string identity = "x509.subject: C=CH, ST=ZH, O=Acme";
  std::vector<std::string> lists = {};
  ImageDemand::Timestamps timestamps = ImageDemand::Timestamps::kAlways;
  registry_bound::AnnotationDemand annotations = {};
  registry_bound::TagOrder tag_order = registry_bound::TagOrder::kWarn;
  std::chrono::seconds max_age = 0s;

  SharedDemand Demand() const {
    auto demand = std::make_shared<NotationDemand>();
    std::string all = ca + tsa + identity + std::to_string(static_cast<int>(timestamps));
    demand->wanted.authorities = *CertificateSet::Parse(MemoryRegistry::TestData(ca));
    if (!tsa.empty()) {
      demand->wanted.timestamp_authorities = *CertificateSet::Parse(MemoryRegistry::TestData(tsa));
    }
    demand->wanted.timestamps = timestamps;
    demand->wanted.identities = {*TrustedIdentity::Parse(identity)};
    for (const std::string& name : lists) {
      if (!demand->wanted.revocations) demand->wanted.revocations.emplace();
      demand->wanted.revocations->push_back(
          RevocationList::Parse(MemoryRegistry::TestData("notation/revocation/" + name)).value());
      all += name;
    }
    demand->annotations = annotations;
    demand->tag_order = tag_order;
    demand->max_age = max_age;
    all += annotations.Written() + std::to_string(static_cast<int>(tag_order)) +
           std::to_string(max_age.count());
    demand->fingerprint = Sha256Of(all);
    return demand;
  }
};

Wanted WithLists(std::vector<std::string> lists) {
  return {.ca = "notation/revocation/ca.pem", .lists = std::move(lists)};
}

struct Node {
  MemoryRegistry registry;
  TimePoint now = kNow;
  std::chrono::seconds max_age = 720h;
  std::shared_ptr<const TrustedSet> set = NotationKind().Empty(kId);

  Node() {
    registry.PutImage();
    registry.Tag("1.0", MemoryRegistry::Image());
  }

  void Put(const std::string& envelope) {
    registry.PutReferrer(kType, envelope.ends_with("cose") ? kCose : kJws,
                         MemoryRegistry::TestData("notation/" + envelope));
  }

  /// What becomes of a pull: `good`, or the code of the reason.
  std::string Pull(const std::string& suffix = ":1.0", const Wanted& wanted = {}) {
    const ImageReference reference = ImageReference::Parse(kRepository + suffix).value();
    const SharedDemand demand = wanted.Demand();
    TrustedSet::Asked asked{
        .reference = reference, .demand = *demand, .now = now, .present_max_age = max_age};
    last = set->Current(asked);
    if (!last.asks) return Outcome();
    RefreshStart start{.id = kId, .previous = set, .demands = {demand}, .now = now};
    start.asked = AskedName{reference};
    const auto refresh = NotationKind().Begin(std::move(start));
    while (const auto wanted_file = refresh->Wanted()) {
      refresh->Supply(registry.Answer(*wanted_file));
    }
    const RefreshOutcome outcome = refresh->Finish();
    if (outcome) {
      set = outcome->set;
      files = outcome->files;
      asked.answer = outcome->answer.get();
    } else {
      asked.failure = &outcome.error();
    }
    last = set->Current(asked);
    return Outcome();
  }
  std::string Outcome() const {
    const auto refusal = RefusalOf(last.verdict);
    return refusal ? std::string(CodeOf(refusal->reason)) : "good";
  }
  /// What counts of what the node has, under a rule of today.
  std::string Present(const Wanted& wanted = {}) {
    const ImageReference reference = ImageReference::Parse(kRepository + ByDigest()).value();
    const Sha256Digest local = MemoryRegistry::Image();
    const SharedDemand demand = wanted.Demand();
    last = set->Current({.reference = reference,
                         .demand = *demand,
                         .now = now,
                         .present_max_age = max_age,
                         .local = &local});
    return Outcome();
  }
  static std::string ByDigest() { return "@" + MemoryRegistry::Image().ToString(); }

  Judgement last;
  std::vector<StoredFile> files;
};

BOOST_FIXTURE_TEST_SUITE(NotationRefreshTest, Node)

BOOST_AUTO_TEST_CASE(AnEnvelopeOfEitherForm_IsFound_AndItsSignerNamed) {
  for (const char* envelope : {"envelopes/nota-jws-good.jws", "envelopes/nota-cose-good.cose"}) {
    BOOST_TEST_CONTEXT(envelope) {
      Node node;
      node.Put(envelope);
      BOOST_TEST(node.Pull() == "good");
      BOOST_TEST(node.last.evidence.parts.front()->signed_by.front().find("O=Acme") !=
                 std::string::npos);
      BOOST_CHECK(node.last.evidence.binding == Evidence::Binding::kRegistry);
    }
  }
}

BOOST_AUTO_TEST_CASE(AKnownDigest_CostsNoRequest_AndItsTagOne) {
  Put("envelopes/nota-jws-good.jws");
  BOOST_TEST(Pull() == "good");
  // The tag with the image's manifest, the referrers, their fallback, the signature's manifest, the
  // envelope.
  BOOST_TEST(registry.asked() == 5U);
  BOOST_TEST(Pull(ByDigest()) == "good");
  BOOST_TEST(registry.asked() == 5U);
  BOOST_TEST(Pull() == "good");
  BOOST_TEST(registry.asked() == 6U);
}

// Where signatures are known, a tag mostly is what is known, and its manifest is not asked for.
BOOST_AUTO_TEST_CASE(ATagThatMovesToWhatIsNotKnown_CostsTheImagesManifestToo) {
  Put("envelopes/nota-jws-good.jws");
  BOOST_TEST(Pull() == "good");
  BOOST_TEST(registry.asked() == 5U);
  registry.Tag("1.0", registry.PutManifest("{}"));
  BOOST_TEST(Pull() == "unsigned");
  BOOST_TEST(registry.asked() == 8U);
}

BOOST_AUTO_TEST_CASE(AnImageWithoutSignatures_IsUnsigned_AndItsManifestNotAskedFor) {
  BOOST_TEST(Pull() == "unsigned");
  BOOST_TEST(registry.asked() == 3U);
}

BOOST_AUTO_TEST_CASE(WhatIsNotAboutThisManifest_IsRefused) {
  for (const char* envelope :
       {"envelopes/nota-jws-other-size.jws", "envelopes/nota-jws-other-media-type.jws",
        "envelopes/nota-jws-other-digest.jws"}) {
    Node node;
    node.Put(envelope);
    BOOST_TEST(node.Pull() == "digest-mismatch", envelope);
  }
}

BOOST_AUTO_TEST_CASE(WithoutTheImagesManifest_NothingIsJudged_AndItIsNotUnsigned) {
  Put("envelopes/nota-jws-good.jws");
  registry.TakeImage();
  BOOST_TEST(Pull(ByDigest()) == "unreachable");
}

// Whoever may push lays the good envelope's bytes under the other type as well.
BOOST_AUTO_TEST_CASE(AGoodEnvelope_IsNotHiddenByItsOwnBytesUnderAnotherType) {
  const std::string good = MemoryRegistry::TestData("notation/envelopes/nota-jws-good.jws");
  for (const char* other : {kCose, "application/x"}) {
    Node node;
    node.registry.PutReferrer(kType, other, good);
    BOOST_TEST(node.Pull() != "good");
    node.registry.PutReferrer(kType, kJws, good);
    BOOST_TEST(node.Pull() == "good");
  }
}

BOOST_AUTO_TEST_CASE(WorthlessEnvelopes_HideNoGoodOne) {
  for (int i = 0; i < 8; ++i) {
    registry.PutReferrer(kType, kJws, "{\"" + std::to_string(i) + "\":1}");
  }
  Put("envelopes/nota-jws-other-root.jws");
  Put("envelopes/nota-jws-good.jws");
  BOOST_TEST(Pull() == "good");
}

BOOST_AUTO_TEST_CASE(ManyWorthlessEnvelopes_AreCutOff_AndThatIsNotUnsigned) {
  for (int i = 0; i < 40; ++i) {
    registry.PutReferrer(kType, kJws, "{\"" + std::to_string(i) + "\":1}");
  }
  BOOST_TEST(Pull() == "too-many");
  BOOST_TEST(registry.asked() <= registry_bound::SignatureSearch::kMaxRequests);
}

BOOST_AUTO_TEST_CASE(AnotherAuthority_AnotherSubject_AreRefused_AndTakeWhatIsHereWithThem) {
  Put("envelopes/nota-jws-good.jws");
  const Wanted other_ca{.ca = "trust/notation/ca-evil.pem"};
  const Wanted other_name{.identity = "x509.subject: C=CH, ST=ZH, O=Acme, CN=nobody"};
  BOOST_TEST(Pull(":1.0", other_ca) == "untrusted-root");
  BOOST_TEST(Pull(":1.0", other_name) == "identity");
  BOOST_TEST(Pull() == "good");
  BOOST_TEST(Present(other_ca) == "untrusted-root");
  BOOST_TEST(Present(other_name) == "identity");
  BOOST_TEST(Present() == "good");
}

// trust/registry_bound/RULES.md#ageing
BOOST_AUTO_TEST_CASE(WhatHasAged_IsRefusedToANewNode_AndCountsForAWhileWhereItWasVerified) {
  Put("revocation/signed-for-days.jws");
  const Wanted wanted{.ca = "notation/revocation/ca.pem"};
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  const TimePoint expiry = ParseRfc3339("2026-12-05T00:00:00Z").value();
  now = expiry - 1s;
  BOOST_TEST(Node(*this).Pull(":1.0", wanted) == "good");
  now = expiry;
  Node fresh;
  fresh.now = now;
  fresh.Put("revocation/signed-for-days.jws");
  BOOST_TEST(fresh.Pull(":1.0", wanted) == "signature-expired");
  BOOST_TEST(Present(wanted) == "good");
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  now = expiry - 1s + max_age;
  BOOST_TEST(Present(wanted) == "good");
  now += 1s;
  BOOST_TEST(Present(wanted) == "signature-expired");
  BOOST_TEST(Pull(":1.0", wanted) == "signature-expired");
  // Where it cannot be seen whether there is a new one, that is what is said.
  registry.GoAway();
  BOOST_TEST(Pull(ByDigest(), wanted) == "unreachable");
  // For ever, where the rule says so.
  max_age = 0s;
  BOOST_TEST(Present(wanted) == "good");
}

BOOST_AUTO_TEST_CASE(TheEndOfTheSignersCertificate_IsTheSame) {
  Put("revocation/signed.jws");
  const Wanted wanted{.ca = "notation/revocation/ca.pem"};
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  const TimePoint end = ParseRfc3339("2026-12-28T00:00:00Z").value();
  now = end + 1s;
  BOOST_TEST(Present(wanted) == "good");
  Node fresh;
  fresh.now = now;
  fresh.Put("revocation/signed.jws");
  BOOST_TEST(fresh.Pull(":1.0", wanted) == "timestamp");
  const std::string says = RefusalOf(fresh.last.verdict)->found;
  fresh.now += 1h;
  fresh.Pull(":1.0", wanted);
  BOOST_TEST(RefusalOf(fresh.last.verdict)->found == says);
  now = end + max_age + 1s;
  BOOST_TEST(Present(wanted) == "timestamp");
}

BOOST_AUTO_TEST_CASE(WhatATimestampProves_HoldsWhenTheCertificateHasEnded) {
  Put("envelopes/nota-jws-tsa-good.jws");
  const Wanted always{.tsa = "trust/notation/tsa-acme.pem"};
  Wanted after = always;
  after.timestamps = ImageDemand::Timestamps::kAfterExpiry;
  for (const Wanted& wanted : {always, after}) {
    Node node;
    node.Put("envelopes/nota-jws-tsa-good.jws");
    BOOST_TEST(node.Pull(":1.0", wanted) == "good");
    node.max_age = 1s;
    node.now = ParseRfc3339("2060-01-01T00:00:00Z").value();
    BOOST_TEST(node.Present(wanted) == "good");
  }
}

// trust/registry_bound/RULES.md#annotations
BOOST_AUTO_TEST_CASE(AnAnnotationThatTheRuleWants_HasToBeSigned) {
  Put("envelopes/nota-jws-user-metadata.jws");
  const auto wants = [](const std::string& name, std::optional<std::string> value) {
    Wanted wanted;
    wanted.annotations.wanted = {{name, std::move(value)}};
    return wanted;
  };
  BOOST_TEST(Pull(":1.0", wants("build", "78")) == "identity");
  BOOST_TEST(Pull(":1.0", wants("version", "77")) == "identity");
  BOOST_TEST(Pull(":1.0", wants("build", std::nullopt)) == "identity");
  BOOST_TEST(Pull(":1.0", wants("build", "77")) == "good");
  // As if each build were a tag.
  registry.Tag("77", MemoryRegistry::Image());
  BOOST_TEST(Pull(":77", wants("build", std::nullopt)) == "good");
  BOOST_TEST(Pull(":1.0", wants("build", std::nullopt)) == "identity");
  BOOST_TEST(Pull(ByDigest(), wants("build", std::nullopt)) == "good");
  Node other;
  other.Put("envelopes/nota-jws-good.jws");
  BOOST_TEST(other.Pull(ByDigest(), wants("build", std::nullopt)) == "identity");
}

// The signer's own time, which the timestamp of 19:54:54 proves to be no later than that.
const TimePoint kSignedAt = ParseRfc3339("2026-11-28T12:00:00Z").value();

BOOST_AUTO_TEST_CASE(MaxAge_CountsFromTheProvenTime_AndWithoutOneNothingPasses) {
  Wanted wanted{.tsa = "trust/notation/tsa-acme.pem"};
  wanted.max_age = 24h;
  Put("envelopes/nota-jws-tsa-good.jws");
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  now = kSignedAt + 24h + 1s;
  Node fresh;
  fresh.now = now;
  fresh.Put("envelopes/nota-jws-tsa-good.jws");
  BOOST_TEST(fresh.Pull(":1.0", wanted) == "too-old");
  BOOST_TEST(Present(wanted) == "good");
  Node untimed;
  untimed.Put("envelopes/nota-jws-good.jws");
  wanted.timestamps = ImageDemand::Timestamps::kAfterExpiry;
  BOOST_TEST(untimed.Pull(":1.0", wanted) == "timestamp");
}

// trust/registry_bound/RULES.md#order-of-tags
BOOST_AUTO_TEST_CASE(ATagThatGoesBack_IsRefused_WhereTimestampsProveIt) {
  Wanted wanted{.tsa = "trust/notation/tsa-acme.pem"};
  wanted.tag_order = registry_bound::TagOrder::kRefuse;
  Put("envelopes/nota-jws-tsa-good.jws");
  const auto at = [&](TimePoint seen) {
    Node node(*this);
    const registry_bound::SignatureSet empty(kId, Dialect());
    node.set = empty.WithTagTime("1.0", seen);
    return node.Pull(":1.0", wanted);
  };
  BOOST_TEST(at(kSignedAt) == "good");
  BOOST_TEST(at(kSignedAt + 1s) == "rollback");
  wanted.tag_order = registry_bound::TagOrder::kWarn;
  BOOST_TEST(at(kSignedAt + 1s) == "good");
}

BOOST_AUTO_TEST_CASE(ASignatureThatHasAged_IsReplacedByTheOneThatThePublisherAdds) {
  const Wanted wanted{.ca = "notation/revocation/ca.pem"};
  Put("revocation/signed-for-days.jws");
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  now = ParseRfc3339("2026-12-06T00:00:00Z").value();
  max_age = 1h;
  BOOST_TEST(Pull(":1.0", wanted) == "signature-expired");
  Put("revocation/signed.jws");
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  // While the old one still counts, the new one is found already.
  Node other;
  other.Put("revocation/signed-for-days.jws");
  BOOST_TEST(other.Pull(":1.0", wanted) == "good");
  other.now = now;
  other.Put("revocation/signed.jws");
  BOOST_TEST(other.Pull(":1.0", wanted) == "good");
  other.max_age = 1s;
  BOOST_TEST(other.Present(wanted) == "good");
}

// trust/notation/FORMAT.md#revocation
BOOST_AUTO_TEST_CASE(ARevokedCertificate_TakesItsImagesWithIt) {
  const Wanted lists = WithLists({"root.pem", "signing-ca.crl"});
  const Wanted leaf = WithLists({"root.pem", "signing-ca.crl", "signing-ca-revokes.pem"});
  const Wanted authority = WithLists({"root-revokes.pem", "signing-ca.crl"});
  Put("revocation/signed.jws");
  BOOST_TEST(Pull(":1.0", lists) == "good");
  for (const Wanted& revoked : {leaf, authority}) {
    BOOST_TEST(Present(revoked) == "revoked");
    BOOST_TEST(Pull(":1.0", revoked) == "revoked");
  }
  BOOST_TEST(Present(lists) == "good");
}

BOOST_AUTO_TEST_CASE(OfTwoListsOfOneAuthority_TheNewerCounts) {
  Put("revocation/signed.jws");
  BOOST_TEST(Pull(":1.0", WithLists({"root.pem", "signing-ca-old-revokes.pem"})) == "revoked");
  BOOST_TEST(Pull(":1.0", WithLists({"root.pem", "signing-ca-old-revokes.pem",
                                     "signing-ca.crl"})) == "good");
}

BOOST_AUTO_TEST_CASE(AListThatIsNotThere_OrNotTheAuthoritysOwn_IsUnavailable) {
  Put("revocation/signed.jws");
  for (const Wanted& wanted : {WithLists({"root.pem"}), WithLists({"signing-ca.crl"}),
                               WithLists({"root.pem", "signing-ca-of-another-key.pem"})}) {
    BOOST_TEST(Pull(":1.0", wanted) == "revocation");
    BOOST_CHECK(std::holds_alternative<Unavailable>(last.verdict));
  }
  // One by another key hides none.
  BOOST_TEST(Pull(":1.0", WithLists({"root.pem", "signing-ca-of-another-key.pem",
                                     "signing-ca-revokes.pem"})) == "revoked");
}

BOOST_AUTO_TEST_CASE(AListThatIsTooOld_LetsNothingNewPass_AndWhatRunsGoOnForAWhile) {
  const Wanted lists = WithLists({"root.pem", "signing-ca.crl"});
  Put("revocation/signed.jws");
  BOOST_TEST(Pull(":1.0", lists) == "good");
  now = ParseRfc3339("2026-12-10T00:00:01Z").value();
  Node fresh;
  fresh.now = now;
  fresh.Put("revocation/signed.jws");
  BOOST_TEST(fresh.Pull(":1.0", lists) == "revocation");
  BOOST_TEST(Present(lists) == "good");
  now += max_age;
  BOOST_TEST(Present(lists) == "revocation");
  // The list of whom it has revoked counts however old it is.
  now -= max_age;
  BOOST_TEST(Present(WithLists({"root.pem", "signing-ca-revokes.pem"})) == "revoked");
}

// For who has to bring their successors: the first certificate that has not ended yet.
BOOST_AUTO_TEST_CASE(TheStatus_SaysWhenACertificateOfTheStoresEnds) {
  const Wanted wanted{.ca = "trust/notation/ca-leaf.pem", .tsa = "trust/notation/tsa-acme.pem"};
  const TimePoint leaf_ends = ParseRfc3339("2027-11-28T12:00:00Z").value();
  BOOST_CHECK(set->Status({wanted.Demand()}, kNow).expires == leaf_ends);
  const auto later = set->Status({wanted.Demand()}, leaf_ends + 1s).expires;
  BOOST_REQUIRE(later);
  BOOST_CHECK(*later > leaf_ends);
  BOOST_CHECK(
      !set->Status({wanted.Demand()}, ParseRfc3339("2100-01-01T00:00:00Z").value()).expires);
}

BOOST_AUTO_TEST_CASE(WhatMayBeAPartOfAList_IsNone) {
  const auto reads = [](const std::string& name) {
    return RevocationList::Parse(MemoryRegistry::TestData("notation/revocation/" + name))
        .has_value();
  };
  for (const char* bad : {"signing-ca-part.pem", "ca.pem", "part-delta.pem", "part-scope.pem",
                          "part-of-others.pem", "endless.crl"}) {
    BOOST_TEST(!reads(bad), bad);
  }
  BOOST_TEST(reads("whole.pem"));
  std::string der = MemoryRegistry::TestData("notation/revocation/signing-ca.crl");
  BOOST_CHECK(RevocationList::Parse(der));
  BOOST_CHECK(!RevocationList::Parse(der + "x"));
  for (std::size_t size = 0; size < der.size(); ++size) {
    BOOST_CHECK(!RevocationList::Parse(der.substr(0, size)));
  }
}

BOOST_AUTO_TEST_CASE(WhatIsStored_IsJudgedAgain_AtTheTimeInItsName) {
  const Wanted wanted{.ca = "notation/revocation/ca.pem"};
  Put("revocation/signed-for-days.jws");
  BOOST_TEST(Pull(":1.0", wanted) == "good");
  BOOST_REQUIRE_EQUAL(files.size(), 1U);
  const StoredFile file = files.front();
  const auto load = [&](const std::string& bytes) {
    RefreshStart start{.id = kId, .source = RefreshStart::Source::kStore};
    start.stored = {file.name};
    const auto refresh = NotationKind().Begin(std::move(start));
    while (refresh->Wanted()) refresh->Supply(FetchedFile(bytes));
    return refresh->Finish()->set;
  };
  now = ParseRfc3339("2026-12-06T00:00:00Z").value();
  set = load(*file.bytes);
  registry.GoAway();
  BOOST_TEST(Present(wanted) == "good");
  BOOST_TEST(Pull(ByDigest(), wanted) == "good");
  // Nobody signs what program it was.
  const std::size_t agent = file.bytes->find("io.cncf.notary.signingAgent");
  const std::size_t agent_end = file.bytes->find('}', agent);
  for (std::size_t i = 0; i < file.bytes->size(); i += 37) {
    if (i >= agent && i < agent_end) continue;
    std::string damaged = *file.bytes;
    damaged[i] ^= 1;
    set = load(damaged);
    BOOST_TEST(Present(wanted) != "good", "byte " << i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::notation
