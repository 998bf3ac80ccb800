// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/decide.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/trust/deciding_node.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Sha256Digest kOne = DigestOf("one");
const Sha256Digest kTwo = DigestOf("two");

constexpr std::string_view kImage = "docker.io/acme/web:1.0";

std::string ByDigest(const Sha256Digest& digest) {
  return "docker.io/acme/web@" + digest.ToString();
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A node whose server has signed tag 1.0 in `targets`.
struct SignedTag : DecidingNode {
  SignedTag() {
    server.Sign("targets", "1.0", kOne);
    PublishAndRefresh();
  }
};

BOOST_AUTO_TEST_SUITE(DecideTagTest)

BOOST_FIXTURE_TEST_CASE(Pull_SignedTag_IsAllowedAtItsDigest, SignedTag) {
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Pull_UnsignedTag_IsTagNotSigned, SignedTag) {
  const Decision decision = Pull("docker.io/acme/web:2.1");
  BOOST_CHECK(Refused(decision) == Reason::kTagNotSigned);
  BOOST_TEST(Found(decision) ==
             "tag is not signed (targets version 2, expires 2029-05-31T00:00:00Z)");
}

/// A node whose server lists the tag `blob` without a SHA-256, as `notary addhash --sha512` does.
struct OddEntry : DecidingNode {
  OddEntry() {
    server.Sign("targets/releases", "1.0", kOne);
    server.Sign("targets", "blob", kTwo);
    Damage odd;
    odd.content = [](nlohmann::json& content) {
      content["targets"]["blob"] = {{"length", 1}, {"hashes", {{"sha512", "AAAA"}}}};
    };
    server.Publish({{"targets/releases", odd}});
    Refresh();
    BOOST_REQUIRE(failure() == nullptr);
  }
};

BOOST_FIXTURE_TEST_CASE(Pull_AnEntryThatCannotBeUsed_IsRefusedAloneAndByName, OddEntry) {
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  BOOST_CHECK(Allowed(Pull(ByDigest(kOne))) == kOne);
  const Decision decision = Pull("docker.io/acme/web:blob");
  BOOST_CHECK(Refused(decision) == Reason::kMalformed);
  BOOST_TEST(Found(decision) ==
             "the entry of tag blob in targets/releases cannot be used: it has no sha256 "
             "(targets/releases version 1, expires 2029-05-31T00:00:00Z)");
}

// What the first role says decides, whatever it says: no later role is asked.
BOOST_FIXTURE_TEST_CASE(Pull_AnEntryThatCannotBeUsed_HidesWhatALaterRoleSays, OddEntry) {
  BOOST_CHECK(Refused(Pull(ByDigest(kTwo))) == Reason::kDigestNotSigned);
  rule.roles = RolesOf({"targets"});
  BOOST_CHECK(Allowed(Pull("docker.io/acme/web:blob")) == kTwo);
}

BOOST_FIXTURE_TEST_CASE(Pull_ASignersEntryThatCannotBeUsed_IsSaid, OddEntry) {
  rule.roles = RolesOf({"targets"});
  rule.signers = RolesOf({"targets/releases"});
  const Decision decision = Pull("docker.io/acme/web:blob");
  BOOST_CHECK(Refused(decision) == Reason::kSignersDisagree);
  BOOST_TEST(Contains(Found(decision),
                      "targets/releases signed an entry that cannot be used: it has no sha256"));
}

BOOST_FIXTURE_TEST_CASE(Pull_WithoutATag_IsLatest, DecidingNode) {
  server.Sign("targets", "latest", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull("docker.io/acme/web")) == kTwo);
}

BOOST_FIXTURE_TEST_CASE(Pull_TheFirstRoleThatListsTheTag_Decides, DecidingNode) {
  server.Sign("targets/releases", "1.0", kOne);
  server.Sign("targets", "1.0", kTwo);
  server.Sign("targets", "old", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  BOOST_CHECK(Allowed(Pull("docker.io/acme/web:old")) == kTwo);
  rule.roles = RolesOf({"targets", "targets/releases"});
  BOOST_CHECK(Allowed(Pull(kImage)) == kTwo);
}

BOOST_FIXTURE_TEST_CASE(Pull_RolesThatTheRuleDoesNotName_AreNotAsked, DecidingNode) {
  server.Delegate("targets/qa", {SigningKey::Ecdsa()});
  server.Sign("targets/qa", "1.0", kOne);
  rule.roles = RolesOf({"targets/qa", "targets"});
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  rule.roles = RolesOf({"targets"});
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kTagNotSigned);
}

BOOST_FIXTURE_TEST_CASE(Pull_TagOutsideThePathsOfTheDelegation_IsNotSigned, DecidingNode) {
  server.Delegate("targets/releases", {SigningKey::Ecdsa()}, 1, {"v"});
  server.Sign("targets/releases", "v1.0", kOne);
  server.Sign("targets/releases", "1.0", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull("docker.io/acme/web:v1.0")) == kOne);
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kTagNotSigned);
  BOOST_CHECK(Refused(Pull(ByDigest(kTwo))) == Reason::kDigestNotSigned);
}

// What was read for other roles would show a role that nobody has read as one that nobody
// delegates, and the next role would answer in its place.
BOOST_FIXTURE_TEST_CASE(Pull_RoleThatWasNotReadYet_IsNotTakenForMissing, DecidingNode) {
  server.Sign("targets/releases", "1.0", kOne);
  server.Sign("targets", "1.0", kTwo);
  rule.roles = RolesOf({"targets"});
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull(kImage)) == kTwo);

  rule.roles = RolesOf({"targets/releases", "targets"});
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kNoTrustData);
  rule.roles = RolesOf({"targets"});
  rule.signers = RolesOf({"targets/alice"});
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kNoTrustData);
  rule.signers.clear();

  rule.roles = RolesOf({"targets/releases", "targets"});
  Refresh();
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Pull_RoleThatWasNotReadYetAndCannotBe_GivesThatReason, DecidingNode) {
  server.Sign("targets/releases", "1.0", kOne);
  server.Sign("targets", "1.0", kTwo);
  rule.roles = RolesOf({"targets"});
  PublishAndRefresh();
  rule.roles = RolesOf({"targets/releases", "targets"});
  server.Serve(server.FileName("targets/releases"), "{}");
  Refresh();
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kHash);
}

BOOST_FIXTURE_TEST_CASE(Pull_NameThatGunMapsToNoCollection_IsNoTrustData, SignedTag) {
  AppliedRule applied = Applied();
  applied.collections.front().reset();
  const Decision decision = DecidePull(ImageReference::Parse(kImage).value(), applied, View(), now);
  BOOST_CHECK(Refused(decision) == Reason::kNoTrustData);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecideSignersTest)

/// Alice and the build sign beside `targets/releases`.
struct TwoSigners : DecidingNode {
  TwoSigners() {
    server.Delegate("targets/alice", {SigningKey::Ecdsa()});
    server.Delegate("targets/ci", {SigningKey::Ed25519()});
    rule.signers = RolesOf({"targets/alice", "targets/ci"});
    for (const char* role : {"targets/releases", "targets/alice", "targets/ci"}) {
      server.Sign(role, "1.0", kOne);
    }
  }
};

BOOST_FIXTURE_TEST_CASE(Pull_AllSignersAgree_IsAllowed, TwoSigners) {
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  BOOST_CHECK(Allowed(Pull(ByDigest(kOne))) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Pull_OneSignerMissing_IsSignersDisagree, TwoSigners) {
  server.Withdraw("targets/ci", "1.0");
  PublishAndRefresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kSignersDisagree);
  BOOST_TEST(Contains(Found(decision), "targets/ci has not signed the tag"));
  BOOST_TEST(!Contains(Found(decision), "alice"));
  BOOST_CHECK(Refused(Pull(ByDigest(kOne))) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(Pull_OneSignerSignedAnotherDigest_IsSignersDisagree, TwoSigners) {
  server.Sign("targets/alice", "1.0", kTwo);
  PublishAndRefresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kSignersDisagree);
  BOOST_TEST(Contains(Found(decision), "targets/alice signed " + kTwo.ToString()));
  BOOST_CHECK(Refused(Pull(ByDigest(kOne))) == Reason::kDigestNotSigned);
  BOOST_CHECK(Refused(Pull(ByDigest(kTwo))) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(Pull_SignerThatNobodyDelegates_IsSignersDisagree, TwoSigners) {
  rule.signers.push_back(RoleOf("targets/mallory"));
  PublishAndRefresh();
  BOOST_TEST(Contains(Found(Pull(kImage)), "targets/mallory has not signed the tag"));
}

BOOST_FIXTURE_TEST_CASE(Pull_SignersAlone_DoNotSignTheTag, TwoSigners) {
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kTagNotSigned);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecideDigestTest)

BOOST_FIXTURE_TEST_CASE(Pull_DigestOfASignedTag_IsAllowed, SignedTag) {
  BOOST_CHECK(Allowed(Pull(ByDigest(kOne))) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Pull_AnyOtherDigest_IsDigestNotSigned, SignedTag) {
  const Decision decision = Pull(ByDigest(kTwo));
  BOOST_CHECK(Refused(decision) == Reason::kDigestNotSigned);
  BOOST_TEST(Found(decision) == "digest is not the digest of any signed tag");
}

BOOST_FIXTURE_TEST_CASE(Pull_DigestOfAShadowedEntry_IsDigestNotSigned, DecidingNode) {
  server.Sign("targets/releases", "1.0", kOne);
  server.Sign("targets", "1.0", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Refused(Pull(ByDigest(kTwo))) == Reason::kDigestNotSigned);
  // Under a tag that nothing shadows it is signed.
  server.Sign("targets", "free", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Pull(ByDigest(kTwo))) == kTwo);
}

BOOST_FIXTURE_TEST_CASE(Pull_DigestOfOtherAlgorithm_IsDigestNotSigned, SignedTag) {
  const std::string name = "docker.io/acme/web@sha512:" + std::string(128, 'a');
  BOOST_CHECK(Refused(Pull(name)) == Reason::kDigestNotSigned);
  BOOST_CHECK(Refused(Present(name, kOne)) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(Pull_TagAndItsDigest_IsAllowed, SignedTag) {
  BOOST_CHECK(Allowed(Pull(std::string(kImage) + "@" + kOne.ToString())) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Pull_TagAndTheDigestOfAnother_IsDigestMismatch, SignedTag) {
  server.Sign("targets", "2.0", kTwo);
  PublishAndRefresh();
  const Decision decision = Pull(std::string(kImage) + "@" + kTwo.ToString());
  BOOST_CHECK(Refused(decision) == Reason::kDigestMismatch);
  BOOST_TEST(Contains(Found(decision), kOne.ToString()));
}

BOOST_FIXTURE_TEST_CASE(Pull_UnsignedTagAndASignedDigest_IsTagNotSigned, SignedTag) {
  BOOST_CHECK(Refused(Pull("docker.io/acme/web:3.0@" + kOne.ToString())) == Reason::kTagNotSigned);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecideFreshnessTest)

const TimePoint kTimestampExpires = SigningRepository::kNow + hours{24 * 14};

BOOST_FIXTURE_TEST_CASE(Pull_TimestampRanOut_IsExpired, SignedTag) {
  now = kTimestampExpires - seconds{1};
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  now = kTimestampExpires;
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kExpired);
  BOOST_CHECK(std::holds_alternative<Unavailable>(decision.verdict));
  BOOST_TEST(Found(decision) == "trust metadata expired at 2026-06-15T00:00:00Z");
}

BOOST_FIXTURE_TEST_CASE(Pull_ExpiredAndServerAway_NamesTheCause, SignedTag) {
  now = kTimestampExpires;
  server.RefuseAll({FetchFailure::Kind::kNetwork, NetworkCause::kTimeout});
  Refresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kExpired);
  BOOST_TEST(Found(decision) ==
             "trust metadata expired at 2026-06-15T00:00:00Z and https://notary.acme.example "
             "cannot be reached (timeout)");
}

BOOST_FIXTURE_TEST_CASE(Pull_ExpiredAndNewerIsBad_Denies, SignedTag) {
  now = kTimestampExpires;
  server.Serve("timestamp.json", "<html>down for maintenance</html>");
  Refresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kMalformed);
  BOOST_CHECK(std::holds_alternative<Deny>(decision.verdict));
}

BOOST_FIXTURE_TEST_CASE(Pull_RefreshFailed_TheLastCompleteSetAnswers, SignedTag) {
  for (const std::string& answer : {std::string("<html>"), server.bytes("snapshot")}) {
    server.Serve("timestamp.json", answer);
    Refresh();
    BOOST_REQUIRE(failure() != nullptr);
    BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
    BOOST_CHECK(Refused(Pull("docker.io/acme/web:2.1")) == Reason::kTagNotSigned);
  }
}

BOOST_FIXTURE_TEST_CASE(Pull_GraceGranted_ExtendsTimestampAndSnapshotAlone, SignedTag) {
  rule.grace = hours{1};
  now = kTimestampExpires + hours{1} - seconds{1};
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  now = kTimestampExpires + hours{1};
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(Pull_RoleThatTheRuleReadsRanOut_IsExpired, DecidingNode) {
  server.Sign("targets", "1.0", kOne);
  server.Sign("targets/releases", "2.0", kTwo);
  server.SetExpiry("targets/releases", now + hours{1});
  rule.grace = hours{24};
  PublishAndRefresh();
  now += hours{1};
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kExpired);
  // A role that the rule does not read may be whatever it is.
  rule.roles = RolesOf({"targets"});
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  // A signer is read.
  rule.signers = RolesOf({"targets/releases"});
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(Pull_NothingKnownYet_IsNoTrustData, DecidingNode) {
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kNoTrustData);
}

BOOST_FIXTURE_TEST_CASE(Pull_NoSetAndServerAway_IsUnreachable, DecidingNode) {
  server.RefuseAll({FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable});
  Refresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kUnreachable);
  BOOST_TEST(Found(decision) == "https://notary.acme.example cannot be reached (unreachable)");
}

BOOST_FIXTURE_TEST_CASE(Pull_ServerDoesNotKnowTheCollection_IsNoTrustData, DecidingNode) {
  server.RefuseAll({FetchFailure::Kind::kNotFound, {}});
  Refresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kNoTrustData);
  BOOST_TEST(Found(decision) ==
             "https://notary.acme.example has no trust metadata for docker.io/acme/web");
}

BOOST_FIXTURE_TEST_CASE(Pull_NoSetAndABadSignature_Denies, DecidingNode) {
  Damage damage;
  damage.signers = {SigningKey::Ecdsa()};
  server.Publish({{"targets", damage}});
  Refresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(std::holds_alternative<Deny>(decision.verdict));
  BOOST_CHECK(Refused(decision) == failure()->error.reason);
}

BOOST_FIXTURE_TEST_CASE(Pull_NoSetAndAnExpiredRole_IsUnavailable, DecidingNode) {
  server.SetExpiry("targets", now - hours{1});
  server.Touch("targets");
  PublishAndRefresh();
  const Decision decision = Pull(kImage);
  BOOST_CHECK(std::holds_alternative<Unavailable>(decision.verdict));
  BOOST_CHECK(Refused(decision) == Reason::kExpired);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecideRootTest)

RootPin PinOf(const SigningKey& key) {
  RootPin pin;
  pin.key_ids = {key.Parsed().canonical_id()};
  return pin;
}

BOOST_FIXTURE_TEST_CASE(Pull_AnotherRulesPinAnchorsTheChain_IsUntrustedRoot, SignedTag) {
  PullAndRemember(kImage);
  rule.root = PinOf(RootKeyFor(server.gun()));
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kUntrustedRoot);
  // What was verified earlier under the other pin is nothing to this rule.
  BOOST_CHECK(Refused(Present(kImage, kOne)) == Reason::kUntrustedRoot);
  BOOST_CHECK(Refused(Pull(ByDigest(kOne))) == Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(Pull_RootRotated_GoesOnUnderTheOldPinAndNamesTheNewKey, SignedTag) {
  BOOST_TEST(!Pull(kImage).evidence.pin_instead.has_value());
  const SigningKey newer = RootKeyFor(server.gun());
  server.SetKeys("root", {newer});
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Allowed(decision) == kOne);
  BOOST_REQUIRE(decision.evidence.pin_instead.has_value());
  BOOST_CHECK(*decision.evidence.pin_instead == newer.Parsed().canonical_id().ToString());
  rule.root = PinOf(newer);
  BOOST_CHECK(Allowed(Pull(kImage)) == kOne);
  BOOST_TEST(!Pull(kImage).evidence.pin_instead.has_value());
}

BOOST_FIXTURE_TEST_CASE(Pull_NewerRootTookTheKeysAway_RefusesAtOnce, SignedTag) {
  PullAndRemember(kImage);
  server.SetKeys("targets", {SigningKey::Ecdsa()});
  server.Publish();
  // The refresh learns the root and then fails: what the old key signed is gone all the same.
  server.Refuse(server.FileName("targets"), {FetchFailure::Kind::kNetwork, NetworkCause::kTls});
  Refresh();
  BOOST_REQUIRE(failure() != nullptr);
  BOOST_REQUIRE(failure()->newer_anchors.has_value());
  const Decision decision = Pull(kImage);
  BOOST_CHECK(Refused(decision) == Reason::kUnreachable);
  BOOST_CHECK(Refused(Present(kImage, kOne)) == Reason::kUnreachable);
  BOOST_CHECK(Refused(Pull(ByDigest(kOne))) == Reason::kUnreachable);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecidePresentTest)

BOOST_FIXTURE_TEST_CASE(Present_SignedNow_IsAllowed, SignedTag) {
  BOOST_CHECK(Allowed(Present(kImage, kOne)) == kOne);
  BOOST_CHECK(Allowed(Present(ByDigest(kOne), kOne)) == kOne);
}

BOOST_FIXTURE_TEST_CASE(Present_AnotherDigestThanSigned_IsDigestMismatch, SignedTag) {
  const Decision decision = Present(kImage, kTwo);
  BOOST_CHECK(Refused(decision) == Reason::kDigestMismatch);
  BOOST_TEST(Found(decision) ==
             "the image on this node is " + kTwo.ToString() + ", not " + kOne.ToString());
}

BOOST_FIXTURE_TEST_CASE(Present_NameOfAnotherDigest_IsDigestMismatch, SignedTag) {
  server.Sign("targets", "2.0", kTwo);
  PublishAndRefresh();
  BOOST_CHECK(Refused(Present(ByDigest(kOne), kTwo)) == Reason::kDigestMismatch);
  rule.action = Action::kAllow;
  BOOST_CHECK(Refused(Present(ByDigest(kOne), kTwo)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(AllowRule_AllowsWithoutADigest, DecidingNode) {
  rule.action = Action::kAllow;
  for (const Decision& decision : {Pull(kImage), Present(kImage, kOne)}) {
    const auto* allow = std::get_if<Allow>(&decision.verdict);
    BOOST_REQUIRE(allow != nullptr);
    BOOST_CHECK(!allow->digest.has_value());
    BOOST_CHECK(!RecordOf(decision, now).has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(DenyRule_RefusesWhateverIsSigned, SignedTag) {
  rule.action = Action::kDeny;
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kDenied);
  BOOST_CHECK(Refused(Present(kImage, kOne)) == Reason::kDenied);
  rule.is_default = true;
  BOOST_TEST(Found(Pull(kImage)) == "refused by the default");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(DecideEvidenceTest)

BOOST_FIXTURE_TEST_CASE(Evidence_NamesEveryRoleThatWasRead, SignedTag) {
  const Evidence evidence = Pull(kImage).evidence;
  std::vector<std::string> roles;
  for (const auto& part : evidence.parts) roles.push_back(part->name);
  BOOST_TEST(roles == (std::vector<std::string>{"root", "timestamp", "snapshot", "targets/releases",
                                                "targets"}),
             boost::test_tools::per_element());
  for (const auto& part : evidence.parts) {
    const SignedPart& role = *part;
    BOOST_TEST_CONTEXT(role.name) {
      if (role.name == "targets/releases") {
        BOOST_TEST(role.version == 0);  // delegated, nothing signed yet
        BOOST_TEST(role.signed_by.empty());
      } else {
        BOOST_TEST(role.version == server.version(role.name));
        BOOST_REQUIRE(role.signed_by.size() == 1u);
        BOOST_TEST(role.signed_by.front() == server.keys(role.name).front().id());
      }
      BOOST_TEST(role.threshold == 1u);
    }
  }
  BOOST_CHECK(evidence.verified_at == now);
  BOOST_CHECK(evidence.anchor == trusted()->chain().back().signed_sha256);
}

BOOST_FIXTURE_TEST_CASE(Evidence_NamesTheRoleThatDecidedAndTheSigners, DecidingNode) {
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  rule.signers = RolesOf({"targets/alice"});
  for (const char* role : {"targets/releases", "targets", "targets/alice"}) {
    server.Sign(role, "1.0", kOne);
  }
  PublishAndRefresh();
  const Evidence evidence = Pull(ByDigest(kOne)).evidence;
  BOOST_CHECK(evidence.vouching == (std::vector<std::string>{"targets/releases", "targets/alice"}));
  BOOST_CHECK(evidence.tag == "1.0");
  BOOST_TEST(Pull("docker.io/acme/web:2.1").evidence.vouching.empty());
}

BOOST_FIXTURE_TEST_CASE(Evidence_OfAnExpiredSet_IsStillThere, SignedTag) {
  now += hours{24 * 15};
  BOOST_TEST(Pull(kImage).evidence.parts.size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
