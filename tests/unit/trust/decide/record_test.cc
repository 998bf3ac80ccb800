// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/trust/deciding_node.h"
#include "trust/base/limits.h"
#include "trust/decide/record_room.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Sha256Digest kOld = DigestOf("old");
const Sha256Digest kNew = DigestOf("new");

constexpr std::string_view kImage = "docker.io/acme/web:1.0";

std::string ByDigest(const Sha256Digest& digest) {
  return "docker.io/acme/web@" + digest.ToString();
}

RootPin PinOf(const SigningKey& key) {
  RootPin pin;
  pin.key_ids = {key.Parsed().canonical_id()};
  return pin;
}

/// A node that has pulled tag 1.0 at the old digest, signed by `targets/releases`.
struct Verified : DecidingNode {
  Verified() {
    server.Sign("targets/releases", "1.0", kOld);
    PublishAndRefresh();
    BOOST_REQUIRE(Allowed(PullAndRemember(kImage)) == kOld);
    BOOST_REQUIRE(records.size() == 1u);
  }
  void MoveTag() {
    server.Sign("targets/releases", "1.0", kNew);
    PublishAndRefresh();
  }
};

/// The same, and the tag has moved on since: only the record vouches for the old digest.
struct MovedOn : Verified {
  MovedOn() {
    MoveTag();
    BOOST_REQUIRE(Present(kImage, kOld).evidence.from_record);
  }
};

BOOST_AUTO_TEST_SUITE(RecordOfTest)

BOOST_FIXTURE_TEST_CASE(RecordOf_AllowedTag_NamesRolesKeysAndRoot, Verified) {
  const VerifiedRecord& record = records.front();
  BOOST_TEST(record.tag == "1.0");
  BOOST_CHECK(record.digest == kOld);
  BOOST_REQUIRE(record.vouching.size() == 1u);
  const auto& [role, keys] = *record.vouching.begin();
  BOOST_TEST(role == "targets/releases");
  BOOST_REQUIRE(keys.size() == 1u);
  BOOST_TEST(keys.front() == server.keys("targets/releases").front().id());
  BOOST_CHECK(record.anchor == trusted()->chain().back().signed_sha256);
  BOOST_REQUIRE(record.anchor_signers.size() == 1u);
  BOOST_TEST(record.anchor_signers.front() == server.keys("root").front().id());
  BOOST_CHECK(record.recorded_at == now);
}

BOOST_FIXTURE_TEST_CASE(RecordOf_AllowedDigest_NamesTheTagThatHasIt, Verified) {
  records.clear();
  BOOST_CHECK(Allowed(PullAndRemember(ByDigest(kOld))) == kOld);
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(records.front().tag == "1.0");
  // A pod pinned by digest restarts here, though no tag was ever pulled.
  MoveTag();
  BOOST_CHECK(Allowed(Pull(ByDigest(kOld))) == kOld);
}

BOOST_FIXTURE_TEST_CASE(RecordOf_Signers_AreKept, Verified) {
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  server.Sign("targets/alice", "1.0", kOld);
  rule.signers = RolesOf({"targets/alice"});
  PublishAndRefresh();
  const auto record = RecordOf(Pull(kImage), now);
  BOOST_REQUIRE(record.has_value());
  BOOST_TEST(record->vouching.size() == 2u);
  BOOST_TEST(record->vouching.contains("targets/alice"));
}

BOOST_FIXTURE_TEST_CASE(RecordOf_Refusal_IsNothing, Verified) {
  BOOST_CHECK(!RecordOf(Pull("docker.io/acme/web:2.1"), now).has_value());
}

BOOST_FIXTURE_TEST_CASE(RecordOf_AllowanceByARecord_IsNothing, MovedOn) {
  BOOST_CHECK(!RecordOf(Present(kImage, kOld), now).has_value());
  BOOST_CHECK(!RecordOf(Pull(ByDigest(kOld)), now).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RecordVouchesTest)

BOOST_FIXTURE_TEST_CASE(Present_TagMovedOn_TheRecordVouches, MovedOn) {
  const Decision decision = Present(kImage, kOld);
  BOOST_CHECK(Allowed(decision) == kOld);
  BOOST_CHECK(decision.evidence.tag == "1.0");
  BOOST_TEST(decision.evidence.vouching.empty());
}

BOOST_FIXTURE_TEST_CASE(Present_NeverVerifiedHere_IsRefused, MovedOn) {
  records.clear();
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(Present_RecordOfAnotherTag_LendsNothing, MovedOn) {
  server.Sign("targets/releases", "2.0", kNew);
  PublishAndRefresh();
  BOOST_CHECK(Refused(Present("docker.io/acme/web:2.0", kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Present("docker.io/acme/web", kOld)) == Reason::kTagNotSigned);
  const std::string other = "docker.io/acme/web:2.0@" + kOld.ToString();
  BOOST_CHECK(Refused(Present(other, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(Present_RecordOfAnotherDigest_LendsNothing, MovedOn) {
  BOOST_CHECK(Refused(Present(kImage, DigestOf("third"))) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(ByDigest_AnyRecordOfTheCollectionVouches, MovedOn) {
  BOOST_CHECK(Allowed(Present(ByDigest(kOld), kOld)) == kOld);
  BOOST_CHECK(Allowed(Pull(ByDigest(kOld))) == kOld);
}

BOOST_FIXTURE_TEST_CASE(ByTagAndDigest_ThatTagsRecordVouchesForWhatIsThere, MovedOn) {
  const std::string name = std::string(kImage) + "@" + kOld.ToString();
  BOOST_CHECK(Allowed(Present(name, kOld)) == kOld);
  // A pull asks what the tag is now.
  BOOST_CHECK(Refused(Pull(name)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(Pull_ATag_IsNeverAnsweredFromARecord, MovedOn) {
  BOOST_CHECK(Allowed(Pull(kImage)) == kNew);
  now += hours{24 * 15};
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(Present_OtherAlgorithm_IsNotTheRecordOfLatest, DecidingNode) {
  server.Sign("targets/releases", "latest", kOld);
  PublishAndRefresh();
  PullAndRemember("docker.io/acme/web");
  const std::string name = "docker.io/acme/web@sha512:" + std::string(128, 'a');
  BOOST_CHECK(Refused(Present(name, kOld)) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(PresentCurrent_UsesNoRecords, MovedOn) {
  rule.present = Present::kCurrent;
  BOOST_CHECK(Refused(DecidingNode::Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RecordAgeTest)

BOOST_FIXTURE_TEST_CASE(Present_MetadataExpired_TheRecordStillCounts, Verified) {
  now += hours{24 * 15};
  server.RefuseAll({FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable});
  Refresh();
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
  BOOST_CHECK(Allowed(Pull(ByDigest(kOld))) == kOld);
  records.clear();
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(Present_AfterThirtyDaysWithoutARefresh_IsRefusedAndSaysWhy, Verified) {
  const TimePoint verified = now;
  now = verified + hours{24 * 30};
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
  now += seconds{1};
  const Decision decision = Present(kImage, kOld);
  BOOST_CHECK(Refused(decision) == Reason::kExpired);
  BOOST_TEST(Found(decision) ==
             "trust metadata expired at 2026-06-15T00:00:00Z; what this node verified itself "
             "counted until 2026-07-01T00:00:00Z (present_max_age)");
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(Present_MaxAgeCountsFromTheLastVerifiedRefresh, Verified) {
  now += hours{24 * 10};
  Refresh();
  BOOST_REQUIRE(failure() == nullptr);
  now += hours{24 * 25};
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_FIXTURE_TEST_CASE(Present_MaxAgeZero_IsForEver, Verified) {
  rule.present_max_age = seconds{0};
  now += hours{24 * 365};
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RecordStandingTest)

// What each stands on may take a search, and a delegate can name one digest by any number of tags.
BOOST_FIXTURE_TEST_CASE(ByDigest_TagsWithoutEnd_AreLookedAtToALimit, MovedOn) {
  VerifiedRecord other = records.front();
  other.anchor = Sha256Of("the root of somebody else");
  for (const std::size_t more : {30, 60}) {
    for (std::size_t i = 0; i < more; ++i) {
      other.tag = std::to_string(records.size());
      records.insert(records.begin(), other);
    }
    const Decision decision = Present(ByDigest(kOld), kOld);
    BOOST_TEST(std::holds_alternative<Allow>(decision.verdict) == (records.size() <= 64));
  }
}

// Several tags had the digest: one that was withdrawn says more than one that no longer counts.
BOOST_FIXTURE_TEST_CASE(ByDigest_OneTagWithdrawn_AnotherNotAccepted_IsWithdrawn, Verified) {
  server.Sign("targets/releases", "2.0", kOld);
  PublishAndRefresh();
  PullAndRemember("docker.io/acme/web:2.0");
  BOOST_REQUIRE(records.size() == 2u);
  records.back().anchor = Sha256Of("the root of somebody else");
  server.Sign("targets/releases", "2.0", kNew);
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kWithdrawn);
}

BOOST_FIXTURE_TEST_CASE(TagWithdrawn_IsToldFromOneThatNobodySigned, Verified) {
  const Records before = records;
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(IsWithdrawn(records.front()));
  // Void also before it is marked.
  for (const Records& known : {records, before}) {
    records = known;
    BOOST_CHECK(Refused(Pull(kImage)) == Reason::kWithdrawn);
    BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kWithdrawn);
    BOOST_CHECK(Refused(Present(ByDigest(kOld), kOld)) == Reason::kWithdrawn);
    BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kWithdrawn);
    BOOST_CHECK(Refused(Pull("docker.io/acme/web:never")) == Reason::kTagNotSigned);
  }
  // A rule that reads other roles has never seen it signed.
  rule.roles = RolesOf({"targets"});
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kTagNotSigned);
}

BOOST_FIXTURE_TEST_CASE(TagSignedAgainAfterItWasWithdrawn_TheOldRecordRevivesNot, Verified) {
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  server.Sign("targets/releases", "1.0", kNew);
  PublishAndRefresh();
  BOOST_TEST(records.empty());
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
  BOOST_CHECK(Allowed(PullAndRemember(kImage)) == kNew);
  BOOST_TEST(records.size() == 1u);
}

// The tag is still listed, by what cannot be used: like one that moved on to another digest.
BOOST_FIXTURE_TEST_CASE(TagWhoseEntryCannotBeUsedAnyMore_TheRecordStands, Verified) {
  Damage odd;
  odd.content = [](nlohmann::json& content) { content["targets"]["1.0"].erase("length"); };
  server.Publish({{"targets/releases", odd}});
  Refresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Pull(kImage)) == Reason::kMalformed);
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_FIXTURE_TEST_CASE(TagWithdrawn_ExpiryRevivesNothing, Verified) {
  const Records before = records;
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  records = before;
  now += hours{24 * 15};
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kExpired);
}

BOOST_FIXTURE_TEST_CASE(TagWithdrawnFromWhatTheRuleReads_OtherRolesDoNotKeepIt, Verified) {
  server.Sign("targets", "1.0", kOld);
  PublishAndRefresh();
  server.Withdraw("targets/releases", "1.0");
  PublishAndRefresh();
  BOOST_TEST(records.size() == 1u);  // some role still lists it
  rule.roles = RolesOf({"targets/releases"});
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kWithdrawn);
}

BOOST_FIXTURE_TEST_CASE(MadeUnderLaxerRoles_IsNotAccepted, DecidingNode) {
  server.Delegate("targets/qa", {SigningKey::Ecdsa()});
  server.Sign("targets/qa", "1.0", kOld);
  server.Sign("targets/releases", "1.0", kNew);
  rule.roles = RolesOf({"targets/qa", "targets/releases"});
  PublishAndRefresh();
  BOOST_REQUIRE(Allowed(PullAndRemember(kImage)) == kOld);
  rule.roles = RolesOf({"targets/releases"});
  const Decision decision = Present(kImage, kOld);
  BOOST_CHECK(Refused(decision) == Reason::kDigestMismatch);
  BOOST_TEST(Found(decision).ends_with(
      "; this node verified it once, but not by roles, keys and a root that count today"));
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(MadeWithoutTheSigners_IsNotAccepted, MovedOn) {
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  server.Sign("targets/alice", "1.0", kNew);
  rule.signers = RolesOf({"targets/alice"});
  PublishAndRefresh();
  BOOST_REQUIRE(Allowed(Pull(kImage)) == kNew);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
}

/// Verified with a signer, and the tag has moved on.
struct SignedByAlice : DecidingNode {
  SignedByAlice() {
    server.Delegate("targets/alice", {SigningKey::Ecdsa()});
    rule.signers = RolesOf({"targets/alice"});
    for (const char* role : {"targets/releases", "targets/alice"}) server.Sign(role, "1.0", kOld);
    PublishAndRefresh();
    PullAndRemember(kImage);
    for (const char* role : {"targets/releases", "targets/alice"}) server.Sign(role, "1.0", kNew);
    PublishAndRefresh();
    BOOST_REQUIRE(Allowed(Present(kImage, kOld)) == kOld);
  }
};

BOOST_FIXTURE_TEST_CASE(SignerLeft_IsNotAccepted, SignedByAlice) {
  server.Undelegate("targets/alice");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kSignersDisagree);
}

BOOST_FIXTURE_TEST_CASE(SignerKeyRotated_IsNotAccepted, SignedByAlice) {
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  server.Touch("targets/alice");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_REQUIRE(Allowed(Pull(kImage)) == kNew);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(SignerTookTheTagBack_TheRecordIsVoid, SignedByAlice) {
  server.Withdraw("targets/alice", "1.0");
  PublishAndRefresh();
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kSignersDisagree);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kWithdrawn);
}

BOOST_FIXTURE_TEST_CASE(SignersNoLongerWanted_TheRecordStands, SignedByAlice) {
  server.Undelegate("targets/alice");
  rule.signers.clear();
  PublishAndRefresh();
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_FIXTURE_TEST_CASE(KeyOfTheRoleRotatedOut_IsNotAccepted, MovedOn) {
  server.Delegate("targets/releases", {SigningKey::Ecdsa()});
  server.Touch("targets/releases");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_REQUIRE(Allowed(Pull(kImage)) == kNew);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(Refused(Pull(ByDigest(kOld))) == Reason::kDigestNotSigned);
}

BOOST_FIXTURE_TEST_CASE(AKeyAddedToTheRole_TheRecordStands, MovedOn) {
  std::vector<SigningKey> keys = server.keys("targets/releases");
  keys.push_back(SigningKey::Ecdsa());
  server.Delegate("targets/releases", keys);
  server.Touch("targets/releases");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_FIXTURE_TEST_CASE(OneOfTwoSigningKeysRotatedOut_IsNotAccepted, DecidingNode) {
  const SigningKey stays = SigningKey::Ecdsa();
  server.Delegate("targets/releases", {stays, SigningKey::Ecdsa()});
  server.Sign("targets/releases", "1.0", kOld);
  PublishAndRefresh();
  PullAndRemember(kImage);
  server.Delegate("targets/releases", {stays});
  server.Sign("targets/releases", "1.0", kNew);
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

// One public key under two IDs counts once, here as for a file.
BOOST_FIXTURE_TEST_CASE(ThresholdRaised_OneKeyUnderTwoIdsIsNotAccepted, DecidingNode) {
  const SigningKey plain = SigningKey::Ecdsa();
  const SigningKey certified = plain.SelfSigned(CertificateRequest{});
  server.Delegate("targets/releases", {plain, certified});
  server.Sign("targets/releases", "1.0", kOld);
  PublishAndRefresh();
  PullAndRemember(kImage);
  server.Delegate("targets/releases", {plain, certified, SigningKey::Ecdsa()}, 2);
  server.Sign("targets/releases", "1.0", kNew);
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(ThresholdRaised_OneKeyIsNotAccepted, MovedOn) {
  std::vector<SigningKey> keys = server.keys("targets/releases");
  keys.push_back(SigningKey::Ecdsa());
  server.Delegate("targets/releases", keys, 2);
  server.Touch("targets/releases");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(RoleNoLongerDelegated_IsNotAccepted, Verified) {
  server.Sign("targets", "1.0", kNew);
  server.Undelegate("targets/releases");
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(NewerRootTookTheTargetsKeyAway_IsNotAccepted, DecidingNode) {
  server.Sign("targets", "1.0", kOld);
  PublishAndRefresh();
  PullAndRemember(kImage);
  server.SetKeys("targets", {SigningKey::Ecdsa()});
  server.Sign("targets", "1.0", kNew);
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(HungFromARootOutsideTheChain_IsNotAccepted, MovedOn) {
  records.front().anchor = Sha256Of("the root of somebody else");
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
  BOOST_CHECK(trusted()->RecordsAfter(records).front().anchor == records.front().anchor);
}

BOOST_FIXTURE_TEST_CASE(HungFromALinkBeforeThePinnedOne_IsNotAccepted, MovedOn) {
  const VerifiedRecord by_first_root = records.front();
  const RootPin first = rule.root;
  const SigningKey newer = RootKeyFor(server.gun());
  server.SetKeys("root", {newer});
  pins = {first, PinOf(newer)};
  PublishAndRefresh();
  BOOST_REQUIRE(trusted()->chain().size() == 2u);
  records = {by_first_root};
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
  rule.root = PinOf(newer);
  BOOST_CHECK(Refused(Present(kImage, kOld)) == Reason::kDigestMismatch);
}

BOOST_FIXTURE_TEST_CASE(RootRotatedThenPinReplaced_TheRecordStands, MovedOn) {
  const SigningKey newer = RootKeyFor(server.gun());
  server.SetKeys("root", {newer});
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
  rule.root = PinOf(newer);
  Refresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_CHECK(Allowed(Present(kImage, kOld)) == kOld);
}

BOOST_FIXTURE_TEST_CASE(RootRotatedTogetherWithTheKey_DoesNotRescueTheRecord, DecidingNode) {
  server.Sign("targets", "1.0", kOld);
  PublishAndRefresh();
  PullAndRemember(kImage);
  const Sha256 first_root = records.front().anchor;
  server.SetKeys("targets", {SigningKey::Ecdsa()});
  server.Sign("targets", "1.0", kNew);
  PublishAndRefresh();
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_CHECK(records.front().anchor == first_root);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RecordsTest)

VerifiedRecord Record(std::string tag, const Sha256Digest& digest,
                      std::initializer_list<std::string_view> roles, TimePoint at) {
  VerifiedRecord record{std::move(tag), digest, {}, {}, {}, at};
  for (const std::string_view role : roles) record.vouching[std::string(role)] = {"key"};
  return record;
}

const TimePoint kAt = SigningRepository::kNow;

BOOST_AUTO_TEST_CASE(WithRecord_TheSameAgain_ChangesNothing) {
  const Records records = WithRecord({}, Record("1.0", kOld, {"targets"}, kAt));
  BOOST_CHECK(WithRecord(records, Record("1.0", kOld, {"targets"}, kAt + seconds{9})) == records);
}

BOOST_AUTO_TEST_CASE(WithRecord_NoFewerRoles_TakesThePlaceOfTheEarlier) {
  const Records records = WithRecord({Record("1.0", kOld, {"targets"}, kAt)},
                                     Record("1.0", kOld, {"targets", "targets/ci"}, kAt));
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(records.front().vouching.size() == 2u);
}

// A rule without signers, for some namespaces, must not take from a stricter rule what that needs.
BOOST_AUTO_TEST_CASE(WithRecord_FewerRoles_LeavesTheEarlier) {
  const Records records = WithRecord({Record("1.0", kOld, {"targets", "targets/ci"}, kAt)},
                                     Record("1.0", kOld, {"targets"}, kAt));
  BOOST_TEST(records.size() == 2u);
}

BOOST_AUTO_TEST_CASE(WithRecord_OtherTagOrDigest_IsAdded) {
  Records records{Record("1.0", kOld, {"targets"}, kAt)};
  records = WithRecord(records, Record("2.0", kOld, {"targets"}, kAt));
  records = WithRecord(records, Record("1.0", kNew, {"targets"}, kAt));
  BOOST_TEST(records.size() == 3u);
}

BOOST_AUTO_TEST_CASE(WithRecord_BeyondTheLimit_TheOldestGoes) {
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < kMost; ++i) {
    records.push_back(Record(std::to_string(i), kOld, {"targets"}, kAt));
  }
  records = WithRecord(std::move(records), Record("one more", kOld, {"targets"}, kAt));
  BOOST_TEST(records.size() == kMost);
  BOOST_TEST(records.front().tag == "1");
  BOOST_TEST(records.back().tag == "one more");
}

// Whoever runs pods of tag after tag of what one role signs.
BOOST_AUTO_TEST_CASE(WithRecord_TagsWithoutEndOfOneRole_PushOutNobodyElses) {
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < 10; ++i) {
    records.push_back(Record(std::to_string(i), kOld, {"targets/releases"}, kAt));
  }
  const Records others = records;
  for (std::size_t i = 0; i < kMost + 100; ++i) {
    const std::string tag = "evil" + std::to_string(i);
    if (records.size() < kMost) {
      records.push_back(Record(tag, kNew, {"targets/evil"}, kAt));
    } else {
      records = WithRecord(std::move(records), Record(tag, kNew, {"targets/evil"}, kAt));
    }
  }
  BOOST_TEST(records.size() <= kMost);
  for (const VerifiedRecord& other : others) {
    BOOST_TEST((std::find(records.begin(), records.end(), other) != records.end()), other.tag);
  }
}

BOOST_AUTO_TEST_CASE(WithRecord_BeyondTheLimit_WithdrawnOnesGoFirst) {
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < kMost; ++i) {
    records.push_back(Record(std::to_string(i), kOld, {"targets"}, kAt));
  }
  Withdraw(records[7]);
  records = WithRecord(std::move(records), Record("one more", kOld, {"targets"}, kAt));
  BOOST_TEST(records.size() == kMost);
  BOOST_TEST(records.front().tag == "0");
  BOOST_TEST(records[7].tag == "8");
}

BOOST_FIXTURE_TEST_CASE(RecordsAfter_NothingWithdrawn_KeepsAll, MovedOn) {
  const Records before = records;
  now += hours{24 * 10};
  PublishAndRefresh();
  BOOST_CHECK(records == before);
}

BOOST_FIXTURE_TEST_CASE(RecordsAfter_ADelegationNoLongerReaches_IsWithdrawn, Verified) {
  server.Delegate("targets/releases", server.keys("targets/releases"), 1, {"v"});
  PublishAndRefresh();
  BOOST_REQUIRE(failure() == nullptr);
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(IsWithdrawn(records.front()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
