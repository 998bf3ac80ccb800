// SPDX-License-Identifier: Apache-2.0

// Which roots are trusted: pins, links, certificates, and the walk between them.

#include "trust/tuf/root_chain.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust/trusting_node.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using Json = SigningRepository::Json;
using Requests = std::vector<std::string>;
using boost::test_tools::per_element;

const std::string kGun = "docker.io/acme/web";
constexpr TimePoint kNow = SigningRepository::kNow;

RootPin PinOf(const SigningKey& key) {
  RootPin pin;
  pin.key_ids = {key.Parsed().canonical_id()};
  return pin;
}

SigningKey RootKey(const CertificateRequest& request) {
  return SigningKey::Ecdsa().SelfSigned(request);
}

// A publisher whose root is at version `versions`, each made by another root key.
struct Rotated {
  SigningRepository server{kGun};
  std::vector<SigningKey> root_keys{server.keys("root").front()};

  void RotateTo(std::int64_t version) {
    while (server.version("root") < version) {
      root_keys.push_back(RootKeyFor(kGun));
      server.SetKeys("root", {root_keys.back()});
      server.Publish();
    }
  }
  MetadataUpdate::Start PinnedTo(std::size_t version) {
    MetadataUpdate::Start start = server.Start();
    start.pins = {PinOf(root_keys.at(version - 1))};
    return start;
  }
};

void CheckReason(const UpdateOutcome& outcome, Reason reason) {
  BOOST_REQUIRE(!outcome);
  BOOST_TEST(CodeOf(outcome.error().error.reason) == CodeOf(reason), DetailOf(outcome));
  BOOST_TEST(outcome.error().at == "root");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(RootChainTest)

BOOST_FIXTURE_TEST_CASE(Cold_NewestMatches_NoOlderRootIsRead, Rotated) {
  RotateTo(3);
  const auto outcome = RunRefresh(PinnedTo(3), server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(outcome->repository->chain().size() == 1u);
  BOOST_TEST(server.requests().at(1) == "timestamp.json");
  const auto match = outcome->repository->Match(PinnedTo(3).pins.front(), kNow);
  BOOST_TEST((match && match->newest));
}

BOOST_FIXTURE_TEST_CASE(Cold_OldPin_WalksBackToIt, Rotated) {
  RotateTo(4);
  const auto outcome = RunRefresh(PinnedTo(2), server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(Requests(server.requests().begin(), server.requests().begin() + 4) ==
                 (Requests{"root.json", "3.root.json", "2.root.json", "timestamp.json"}),
             per_element());
  const auto& chain = outcome->repository->chain();
  BOOST_REQUIRE(chain.size() == 3u);
  BOOST_TEST(chain.front().root->version() == 2);
  BOOST_TEST(chain.back().root->version() == 4);
  const auto match = outcome->repository->Match(PinnedTo(2).pins.front(), kNow);
  BOOST_REQUIRE(match);
  BOOST_TEST(match->link == 0u);
  BOOST_TEST(!match->newest);
  // The chain is stored whole, under the versions.
  BOOST_TEST(outcome->files.at(0).name == "2.root");
  BOOST_TEST(outcome->files.at(2).name == "4.root");
}

BOOST_FIXTURE_TEST_CASE(Cold_TwoPins_EachFindsItsAnchor, Rotated) {
  RotateTo(3);
  MetadataUpdate::Start start = PinnedTo(3);
  start.pins.push_back(PinOf(root_keys.front()));
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->repository->Match(start.pins[0], kNow)->newest);
  BOOST_TEST(outcome->repository->Match(start.pins[1], kNow)->link == 0u);
}

BOOST_FIXTURE_TEST_CASE(Cold_NoPinMatches_IsUntrusted, Rotated) {
  RotateTo(3);
  MetadataUpdate::Start start = server.Start();
  start.pins = {PinOf(RootKeyFor(kGun))};
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
  start.pins.clear();
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(Cold_OlderRootsMissing_NewestMustMatch, Rotated) {
  RotateTo(3);
  server.Refuse("2.root.json", FetchFailure{});
  CheckReason(RunRefresh(PinnedTo(1), server), Reason::kUntrustedRoot);
  BOOST_TEST(RunRefresh(PinnedTo(3), server).has_value());
}

BOOST_FIXTURE_TEST_CASE(Cold_NetworkDiesOnTheWayBack_IsUnavailable, Rotated) {
  RotateTo(3);
  server.Refuse("2.root.json", {FetchFailure::Kind::kNetwork, NetworkCause::kTimeout});
  const auto outcome = RunRefresh(PinnedTo(1), server);
  CheckReason(outcome, Reason::kUnreachable);
  BOOST_TEST((outcome.error().cause == NetworkCause::kTimeout));
}

BOOST_FIXTURE_TEST_CASE(Cold_VersionsBeginAtTwo, Rotated) {
  RotateTo(2);
  server.Refuse("1.root.json", FetchFailure{});
  const auto outcome = RunRefresh(PinnedTo(2), server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->repository->root().version() == 2);
  CheckReason(RunRefresh(PinnedTo(1), server), Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(Cold_FartherThanTheLimit_IsUntrusted, Rotated) {
  RotateTo(5);
  MetadataUpdate::Start start = PinnedTo(1);
  start.limits.root_steps = 3;
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
  start.limits.root_steps = 4;
  BOOST_TEST(RunRefresh(start, server).has_value());
}

BOOST_FIXTURE_TEST_CASE(PinnedKeyListedButNotSigning_IsUntrusted, Rotated) {
  // Whoever makes a root can list the pinned key beside an own one.
  const SigningKey pinned = root_keys.front();
  const SigningKey own = RootKeyFor(kGun);
  SigningRepository attacker{kGun};
  attacker.SetKeys("root", {own, pinned});
  attacker.SetSigners("root", {own});
  attacker.SetNextVersion("root", 1);
  attacker.Publish();
  const auto outcome = RunRefresh(PinnedTo(1), attacker);
  CheckReason(outcome, Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(PinnedKeyAmongSigners_ThresholdCountsAllLeaves, Rotated) {
  const SigningKey second = RootKeyFor(kGun);
  server.SetKeys("root", {root_keys.front(), second}, 2);
  server.Publish();
  BOOST_TEST(RunRefresh(PinnedTo(1), server).has_value());
  server.SetSigners("root", {root_keys.front()});
  server.Publish();
  CheckReason(RunRefresh(PinnedTo(1), server), Reason::kThreshold);
}

BOOST_FIXTURE_TEST_CASE(Warm_RotatedThrice_GoesOnByTheChain, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  RotateTo(4);
  server.ForgetRequests();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  // The snapshot is signed by a key that did not change, and names the new root.
  BOOST_TEST(Requests(server.requests().begin(), server.requests().begin() + 5) ==
                 (Requests{"timestamp.json", server.FileName("snapshot"), server.FileName("root"),
                           "2.root.json", "3.root.json"}),
             per_element());
  BOOST_TEST(node.trusted()->chain().size() == 4u);
  BOOST_REQUIRE(!node.Restart());
  BOOST_TEST(node.trusted()->chain().size() == 4u);
  BOOST_TEST(node.trusted()->root().version() == 4);
}

BOOST_FIXTURE_TEST_CASE(Warm_PinReplacedThenRemoved_ChainFollows, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  RotateTo(2);
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->chain().size() == 2u);
  node.start().pins = PinnedTo(2).pins;
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->chain().size() == 1u);
  node.start().pins = {PinOf(RootKeyFor(kGun))};
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kUntrustedRoot));
  BOOST_TEST(!node.trusted()->Match(node.start().pins.front(), kNow));
}

// As on first contact: each pin gets its chance, also one that comes later, and one whose link
// could not be had at once.
BOOST_FIXTURE_TEST_CASE(Warm_OlderPinAdded_FindsItsAnchor, Rotated) {
  RotateTo(3);
  TrustingNode node(PinnedTo(3));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->chain().size() == 1u);
  const RootPin older = PinnedTo(1).pins.front();
  node.start().pins.push_back(older);
  server.Refuse("1.root.json", {FetchFailure::Kind::kNetwork, NetworkCause::kTimeout});
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(!node.trusted()->Match(older, kNow));
  server.Recover();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  const auto match = node.trusted()->Match(older, kNow);
  BOOST_REQUIRE(match);
  BOOST_TEST(match->link == 0u);
  BOOST_REQUIRE(!node.Restart());
  BOOST_TEST(node.trusted()->Match(older, kNow).has_value());
  server.ForgetRequests();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(server.requests() == Requests{"timestamp.json"}, per_element());
}

BOOST_FIXTURE_TEST_CASE(Warm_PinThatMatchesNothing_IsLookedForOnce, Rotated) {
  RotateTo(3);
  TrustingNode node(PinnedTo(3));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  node.start().pins.push_back(PinOf(RootKeyFor(kGun)));
  // An answer that is no link may come from anybody on the wire: it ends the search for now.
  server.Serve("2.root.json", "<html>");
  BOOST_REQUIRE(!node.RefreshFrom(server));
  server.Recover();
  server.ForgetRequests();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(server.requests() ==
                 (Requests{"3.root.json", "2.root.json", "1.root.json", "timestamp.json"}),
             per_element());
  BOOST_TEST(node.trusted()->chain().size() == 1u);
  server.ForgetRequests();
  server.Sign("targets", "1.0", DigestOf("image"));
  server.Publish();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(server.requests().front() == "timestamp.json");
}

BOOST_FIXTURE_TEST_CASE(Warm_LinkMissing_IsUnavailable_NewestPinDoesNotHelp, Rotated) {
  // A node that has gone on from its pin must not be led back to it: a retired key may be stolen.
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  RotateTo(2);
  BOOST_REQUIRE(!node.RefreshFrom(server));
  SigningRepository thief{kGun};
  thief.SetKeys("root", {root_keys.front()});
  thief.SetNextVersion("root", 5);
  thief.Publish();
  thief.Refuse("3.root.json", FetchFailure{});
  const auto failed = node.RefreshFrom(thief);
  BOOST_REQUIRE(failed);
  BOOST_TEST(node.trusted()->root().version() == 2);
  BOOST_TEST(!failed->newer_anchors);
}

BOOST_FIXTURE_TEST_CASE(Warm_OlderRootServed_IsRollbackNamingBothVersions, Rotated) {
  RotateTo(3);
  SigningRepository stale = server;
  RotateTo(4);
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  node.start().now = kNow;
  stale.SetKeys("timestamp", {SigningKey::Ed25519()});
  stale.SetNextVersion("root", 3);
  stale.Publish();
  const auto failed = node.RefreshFrom(stale);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kRollback));
  BOOST_TEST(failed->error.detail ==
             "root version 3 is older than version 4, which was verified before");
}

BOOST_FIXTURE_TEST_CASE(Cold_FloorOutlivesTheChain, Rotated) {
  RotateTo(2);
  SigningRepository stale = server;
  RotateTo(3);
  const auto outcome = RunRefresh(PinnedTo(1), server);
  BOOST_REQUIRE(outcome);
  MetadataUpdate::Start start = PinnedTo(1);
  start.floors = outcome->repository->floors();
  CheckReason(RunRefresh(start, stale), Reason::kRollback);
  BOOST_TEST(RunRefresh(start, server).has_value());
}

BOOST_FIXTURE_TEST_CASE(SameVersionOtherRoot_IsRollback, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  // The publisher deleted the repository and began anew with the same root key.
  SigningRepository anew{kGun};
  anew.SetKeys("root", {root_keys.front()});
  anew.SetNextVersion("root", 1);
  anew.Publish();
  const auto failed = node.RefreshFrom(anew);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kRollback));
  BOOST_TEST(failed->error.detail ==
             "root version 1 is not the version 1 that was verified before");
}

BOOST_FIXTURE_TEST_CASE(Link_NotSignedByItsPredecessor_IsRefused, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  const SigningKey next = RootKeyFor(kGun);
  server.SetKeys("root", {next});
  server.SetSigners("root", {next});
  server.Publish();
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kSignature));
  BOOST_TEST(node.trusted()->root().version() == 1);
}

BOOST_FIXTURE_TEST_CASE(Link_SignedOnlyByItsPredecessor_IsRefused, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  server.SetKeys("root", {RootKeyFor(kGun)});
  server.SetSigners("root", {root_keys.front()});
  server.Publish();
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kSignature));
}

BOOST_FIXTURE_TEST_CASE(Link_OldThresholdCounts, Rotated) {
  const SigningKey second = RootKeyFor(kGun);
  server.SetKeys("root", {root_keys.front(), second}, 2);
  server.Publish();
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  const SigningKey third = RootKeyFor(kGun);
  server.SetKeys("root", {third});
  server.SetSigners("root", {third, second});
  server.Publish();
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kThreshold));
}

BOOST_FIXTURE_TEST_CASE(Link_OtherVersionUnderItsName_IsRefused, Rotated) {
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  RotateTo(4);
  SigningRepository copy = server;
  copy.Serve("2.root.json", copy.Fetch({"3.root.json", 1 << 20, {}})->bytes);
  const auto failed = node.RefreshFrom(copy);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kUntrustedRoot));
  BOOST_TEST(failed->error.detail == "root version 3 does not follow root version 1");
}

BOOST_FIXTURE_TEST_CASE(Link_ExpiredOnTheWay_IsAccepted_NewestIsNot, Rotated) {
  TrustingNode warm(PinnedTo(1));
  BOOST_REQUIRE(!warm.RefreshFrom(server));
  root_keys.push_back(RootKeyFor(kGun));
  server.SetKeys("root", {root_keys.back()});
  server.SetExpiry("root", kNow - hours{1});
  server.Publish();
  SigningRepository expired = server;
  server.SetExpiry("root", kNow + hours{24});
  server.Publish();

  TrustingNode cold(PinnedTo(1));
  BOOST_TEST(!cold.RefreshFrom(server));
  BOOST_TEST(cold.trusted()->chain().size() == 3u);
  BOOST_TEST(!warm.RefreshFrom(server));
  CheckReason(RunRefresh(PinnedTo(1), expired), Reason::kExpired);
}

BOOST_AUTO_TEST_CASE(Certificate_ExpiredOnTheWay_IsAccepted_NewestIsNot) {
  CertificateRequest request;
  request.common_names = {kGun};
  request.not_after = kNow - hours{1};
  const SigningKey expired = RootKey(request);
  SigningRepository server{kGun};
  server.SetKeys("root", {expired});
  server.SetSigners("root", {expired});
  server.SetNextVersion("root", 1);
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  CheckReason(RunRefresh(start, server), Reason::kExpired);
  start.now = kNow - hours{2};
  BOOST_TEST(RunRefresh(start, server).has_value());

  server.SetKeys("root", {RootKeyFor(kGun)});
  server.Publish();
  start.now = kNow;
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(outcome->repository->chain().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(ExpiredTrustedRoot_NewestIsReadFirst, Rotated) {
  server.SetExpiry("root", kNow + hours{1});
  server.Publish();
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  server.SetExpiry("root", kNow + hours{2400});
  server.Publish();
  server.ForgetRequests();
  node.start().now = kNow + hours{2};
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(server.requests().front() == "root.json");
}

BOOST_AUTO_TEST_CASE(Certificate_OfAnotherImage_IsUntrusted) {
  SigningRepository server{kGun};
  const SigningKey other = RootKeyFor("docker.io/acme/other");
  server.SetKeys("root", {other});
  server.SetSigners("root", {other});
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  start.pins.front().tofu = true;
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
}

BOOST_AUTO_TEST_CASE(Certificate_NoneAtAll_IsUntrusted) {
  SigningRepository server{kGun};
  const SigningKey plain = SigningKey::Ecdsa();
  server.SetKeys("root", {plain});
  server.SetSigners("root", {plain});
  server.Publish();
  CheckReason(RunRefresh(server.Start(), server), Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(Tofu_AnchorsWhatIsSeenFirst_AndOnlyThat, Rotated) {
  RotateTo(2);
  MetadataUpdate::Start start = server.Start();
  start.pins = {RootPin{}};
  start.pins.front().tofu = true;
  TrustingNode node(start);
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->chain().size() == 1u);
  BOOST_TEST(node.trusted()->Match(start.pins.front(), kNow)->newest);
  SigningRepository other{kGun};
  other.SetNextVersion("root", 7);
  other.Publish();
  const auto failed = node.RefreshFrom(other);
  BOOST_REQUIRE(failed);
  BOOST_TEST(node.trusted()->root().version() == 2);
  RotateTo(4);
  BOOST_TEST(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->root().version() == 4);
}

BOOST_FIXTURE_TEST_CASE(Tofu_FailedFirstContact_LeavesNoAnchor, Rotated) {
  MetadataUpdate::Start start = server.Start();
  start.pins = {RootPin{}};
  start.pins.front().tofu = true;
  TrustingNode node(start);
  SigningRepository broken{kGun};
  broken.Serve("timestamp.json", "{}");
  const auto failed = node.RefreshFrom(broken);
  BOOST_REQUIRE(failed);
  BOOST_TEST(!failed->newer_anchors);
  BOOST_TEST(!node.RefreshFrom(server));
}

BOOST_FIXTURE_TEST_CASE(RootFile_IsTheFirstLink, Rotated) {
  const std::string first = server.bytes("root");
  RotateTo(3);
  MetadataUpdate::Start start = server.Start();
  start.pins = {RootPin{}};
  start.pins.front().root_file = first;
  // The server need not have it any more.
  server.Refuse("1.root.json", FetchFailure{});
  TrustingNode node(start);
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->chain().size() == 3u);
  BOOST_TEST(node.trusted()->Match(start.pins.front(), kNow)->link == 0u);
  BOOST_TEST(!node.Restart());
}

BOOST_FIXTURE_TEST_CASE(RootFile_InAnotherLayout_IsTheSameRoot, Rotated) {
  MetadataUpdate::Start start = server.Start();
  start.pins = {RootPin{}};
  start.pins.front().root_file = Json::parse(server.bytes("root")).dump(2);
  BOOST_TEST(RunRefresh(start, server).has_value());
  start.pins.front().root_file = SigningRepository{kGun}.bytes("root");
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
  start.pins.front().root_file = "not a root";
  CheckReason(RunRefresh(start, server), Reason::kUntrustedRoot);
}

BOOST_FIXTURE_TEST_CASE(Pin_ByKeyId_ByBundleId_ByCertificate, Rotated) {
  const PublicKey key = root_keys.front().Parsed();
  RootPin by_key;
  by_key.key_ids = {key.canonical_id()};
  RootPin by_bundle;
  by_bundle.key_ids = {key.id()};
  RootPin by_certificate;
  by_certificate.certificates = CertificateSet({key.certificates().front()});
  for (const RootPin& pin : {by_key, by_bundle, by_certificate}) {
    MetadataUpdate::Start start = server.Start();
    start.pins = {pin};
    BOOST_TEST(RunRefresh(start, server).has_value());
  }
}

BOOST_AUTO_TEST_CASE(Pin_ByAuthority_WhileItIsInDate) {
  CertificateRequest authority_request;
  authority_request.common_names = {"Acme CA"};
  authority_request.role = CertificateRequest::Role::kAuthority;
  authority_request.extended_usages = {};
  authority_request.not_after = kNow + hours{48};
  const SigningKey authority = SigningKey::Ecdsa().SelfSigned(authority_request);
  CertificateRequest leaf_request;
  leaf_request.common_names = {kGun};
  leaf_request.extended_usages = {"serverAuth"};
  const SigningKey leaf = SigningKey::Ecdsa().IssuedBy(authority, leaf_request);
  SigningRepository server{kGun};
  server.SetKeys("root", {leaf});
  server.SetSigners("root", {leaf});
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  start.pins = {RootPin{}};
  start.pins.front().authorities = CertificateSet::Parse(authority.certificate_pem()).value();
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  // The remembered answer does not outlive the authority.
  BOOST_TEST(outcome->repository->Match(start.pins.front(), kNow + hours{47}).has_value());
  BOOST_TEST(!outcome->repository->Match(start.pins.front(), kNow + hours{49}));
}

BOOST_FIXTURE_TEST_CASE(NewerRoot_ActsAtOnce_WhereTheRestFails, Rotated) {
  const Sha256Digest digest = DigestOf("image");
  server.Sign("targets", "1.0", digest);
  server.Publish();
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));

  // The targets key is taken away, and the new targets cannot be had.
  server.SetKeys("targets", {SigningKey::Ecdsa()});
  server.Publish();
  server.Refuse(server.FileName("targets"), {FetchFailure::Kind::kNetwork, NetworkCause::kTimeout});
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kUnreachable));
  BOOST_REQUIRE(failed->newer_anchors);
  BOOST_TEST(failed->newer_anchors->files.back().name == "2.root");
  const auto fresh = node.trusted()->CheckFresh({}, kNow, {});
  BOOST_REQUIRE(!fresh);
  BOOST_TEST((fresh.error().reason == Reason::kNoTrustData));
  BOOST_TEST(node.trusted()->SignersOf(RoleName::Targets()).empty());
  BOOST_TEST(node.floors().at("root").version == 2);

  // A restart does not bring the old root back.
  BOOST_TEST(node.Restart().has_value());
  BOOST_TEST(node.trusted() == nullptr);
  BOOST_TEST(node.floors().at("root").version == 2);
  server.Recover();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST((node.Lookup("targets", "1.0") == digest));
}

BOOST_FIXTURE_TEST_CASE(NewerRoot_ThatKeepsTheKeys_LeavesTheSetInForce, Rotated) {
  server.Sign("targets", "1.0", DigestOf("image"));
  server.Publish();
  TrustingNode node(PinnedTo(1));
  BOOST_REQUIRE(!node.RefreshFrom(server));
  server.SetKeys("root", {RootKeyFor(kGun)});
  server.Sign("targets", "1.0", DigestOf("newer image"));
  server.Publish();
  server.Refuse(server.FileName("targets"), FetchFailure{});
  BOOST_REQUIRE(node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->root().version() == 2);
  BOOST_TEST(node.trusted()->CheckFresh({}, kNow, {}).has_value());
  BOOST_TEST((node.Lookup("targets", "1.0") == DigestOf("image")));
  // The store holds a root that is newer than its snapshot knows.
  BOOST_TEST(!node.Restart());
  BOOST_TEST(node.trusted()->root().version() == 2);
  BOOST_TEST((node.Lookup("targets", "1.0") == DigestOf("image")));
  // From a server the same would be a mix of two editions.
  SigningRepository mixed = server;
  mixed.Recover();
  BOOST_TEST(!node.RefreshFrom(mixed));
  BOOST_TEST((node.Lookup("targets", "1.0") == DigestOf("newer image")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
