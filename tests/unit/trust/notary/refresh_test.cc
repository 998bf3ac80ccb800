// SPDX-License-Identifier: Apache-2.0

// The refresh as a user of it sees it: what is asked for, in which order, and what comes out.

#include <boost/test/unit_test.hpp>

#include "tests/support/trust/signing_repository.h"
#include "trust/notary/metadata_update.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using Requests = std::vector<std::string>;

const RoleName kReleases = RoleName::Parse("targets/releases").value();
const Sha256Digest kOld = DigestOf("the image as it was");
const Sha256Digest kNew = DigestOf("the image as it is now");
constexpr TimePoint kNow = SigningRepository::kNow;

// A repository with one tag in targets and one in targets/releases.
struct Published {
  SigningRepository server;
  Published() {
    server.Sign("targets", "base", kOld);
    server.Delegate("targets/releases", {SigningKey::Ecdsa()});
    server.Sign("targets/releases", "1.0", kOld);
    server.Publish();
  }
};

std::shared_ptr<const Repository> Trusted(SigningRepository& server) {
  auto outcome = RunRefresh(server.Start(), server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  server.ForgetRequests();
  return outcome->repository;
}

MetadataUpdate::Start After(const SigningRepository& server,
                            std::shared_ptr<const Repository> previous, TimePoint now = kNow) {
  MetadataUpdate::Start start = server.Start();
  start.previous = std::move(previous);
  start.now = now;
  return start;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(RefreshTest)

BOOST_FIXTURE_TEST_CASE(FirstContact_ReadsRootThenTheCycle, Published) {
  const auto outcome = RunRefresh(server.Start(), server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(outcome->changed);
  BOOST_TEST(server.requests() ==
                 (Requests{"root.json", "timestamp.json", server.FileName("snapshot"),
                           server.FileName("targets"), server.FileName("targets/releases")}),
             boost::test_tools::per_element());

  const Repository& repository = *outcome->repository;
  BOOST_TEST((repository.Lookup(kReleases, "1.0") == kOld));
  BOOST_TEST((repository.Lookup(RoleName::Targets(), "base") == kOld));
  BOOST_TEST(!repository.Lookup(RoleName::Targets(), "1.0"));
  BOOST_TEST((repository.verified_at() == kNow));
  BOOST_TEST(repository.floors().size() == 5u);
  BOOST_TEST(repository.CheckFresh({kReleases}, kNow, {}).has_value());
}

BOOST_FIXTURE_TEST_CASE(FirstContact_HandsOverEveryFile, Published) {
  const auto outcome = RunRefresh(server.Start(), server);
  BOOST_REQUIRE(outcome);
  Requests names;
  for (const StoredFile& file : outcome->files) {
    names.push_back(file.name);
    BOOST_REQUIRE(file.bytes);
    BOOST_TEST((Sha256Of(*file.bytes) == file.sha256));
  }
  BOOST_TEST(names == (Requests{"1.root", "timestamp", "snapshot", "targets", "targets/releases"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(Unchanged_EndsAfterOneRequest, Published) {
  const auto before = Trusted(server);
  const auto outcome = RunRefresh(After(server, before, kNow + hours{1}), server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(server.requests() == Requests{"timestamp.json"}, boost::test_tools::per_element());
  BOOST_TEST(!outcome->changed);
  BOOST_TEST((outcome->repository->verified_at() == kNow + hours{1}));
  BOOST_TEST(outcome->repository->Find(kReleases) == before->Find(kReleases));
  BOOST_TEST((outcome->repository->floors() == before->floors()));
  for (const StoredFile& file : outcome->files) BOOST_TEST(!file.bytes);
}

BOOST_FIXTURE_TEST_CASE(OneRoleChanged_OthersAreNotFetchedAgain, Published) {
  const auto before = Trusted(server);
  server.Sign("targets/releases", "1.0", kNew);
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(server.requests() == (Requests{"timestamp.json", server.FileName("snapshot"),
                                            server.FileName("targets/releases")}),
             boost::test_tools::per_element());
  BOOST_TEST(outcome->changed);
  BOOST_TEST(outcome->repository->Find(RoleName::Targets()) == before->Find(RoleName::Targets()));
  BOOST_TEST((outcome->repository->Lookup(kReleases, "1.0") == kNew));
  BOOST_TEST((before->Lookup(kReleases, "1.0") == kOld));
}

BOOST_FIXTURE_TEST_CASE(TimestampAloneSignedAnew_NothingElseIsFetched, Published) {
  const auto before = Trusted(server);
  server.Touch("timestamp");
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(server.requests() == Requests{"timestamp.json"}, boost::test_tools::per_element());
  BOOST_TEST(outcome->changed);
  BOOST_TEST(outcome->repository->floors().at("timestamp").version == server.version("timestamp"));
}

BOOST_FIXTURE_TEST_CASE(MoreRolesWanted_OnlyTheyAreFetched, Published) {
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  server.Sign("targets/alice", "1.0", kOld);
  server.Publish();
  const auto before = Trusted(server);
  const RoleName alice = RoleName::Parse("targets/alice").value();
  BOOST_TEST(before->Find(alice) == nullptr);
  MetadataUpdate::Start start = After(server, before);
  start.roles.push_back(alice);
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(server.requests() == (Requests{"timestamp.json", server.FileName("targets/alice")}),
             boost::test_tools::per_element());
  BOOST_TEST((outcome->repository->Lookup(alice, "1.0") == kOld));
  BOOST_TEST(outcome->repository->roles_read().contains(alice));
}

BOOST_FIXTURE_TEST_CASE(Delegation_ReadOnlyWithItsParents, Published) {
  server.Delegate("targets/a", {SigningKey::Ecdsa()});
  server.Touch("targets/a");
  server.Delegate("targets/a/b", {SigningKey::Ecdsa()}, 1, {"v"});
  server.Sign("targets/a/b", "v1", kOld);
  server.Sign("targets/a/b", "w1", kOld);
  server.Delegate("targets/c", {SigningKey::Ecdsa()});
  server.Touch("targets/c");
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  const RoleName deep = RoleName::Parse("targets/a/b").value();
  start.roles = {deep};
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(
      server.requests() == (Requests{"root.json", "timestamp.json", server.FileName("snapshot"),
                                     server.FileName("targets"), server.FileName("targets/a"),
                                     server.FileName("targets/a/b")}),
      boost::test_tools::per_element());
  BOOST_TEST((outcome->repository->Lookup(deep, "v1") == kOld));
  // Outside the paths of its delegation a role says nothing.
  BOOST_TEST(!outcome->repository->Lookup(deep, "w1"));
}

BOOST_FIXTURE_TEST_CASE(Paths_ChildReachesNoFurtherThanItsParent, Published) {
  server.Delegate("targets/a", {SigningKey::Ecdsa()}, 1, {"v1"});
  server.Touch("targets/a");
  server.Delegate("targets/a/b", {SigningKey::Ecdsa()}, 1, {"", "v1.2"});
  server.Sign("targets/a/b", "v1.1", kOld);
  server.Sign("targets/a/b", "v1.2", kOld);
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  const RoleName deep = RoleName::Parse("targets/a/b").value();
  start.roles = {deep};
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  // The path "" is not within "v1", so it is dropped rather than cut down.
  BOOST_TEST(!outcome->repository->Lookup(deep, "v1.1"));
  BOOST_TEST((outcome->repository->Lookup(deep, "v1.2") == kOld));
}

BOOST_FIXTURE_TEST_CASE(Paths_NoneMeansNoTag, Published) {
  server.Delegate("targets/releases", server.keys("targets/releases"), 1, {});
  server.Publish();
  const auto repository = Trusted(server);
  BOOST_TEST(repository->Find(kReleases) != nullptr);
  BOOST_TEST(!repository->Lookup(kReleases, "1.0"));
}

BOOST_AUTO_TEST_CASE(Delegated_NotSignedYet_IsEmpty) {
  SigningRepository server;
  server.Sign("targets", "base", kOld);
  server.Delegate("targets/releases", {SigningKey::Ecdsa()});
  server.Publish();
  const auto repository = Trusted(server);
  BOOST_TEST(repository->Find(kReleases) == nullptr);
  BOOST_TEST(repository->roles_read().contains(kReleases));
  BOOST_TEST((repository->Lookup(RoleName::Targets(), "base") == kOld));
  BOOST_TEST(repository->KeysOf(kReleases)->keys.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(EntryWithoutDelegation_IsIgnored, Published) {
  server.Undelegate("targets/releases", SigningRepository::Entry::kLeftBehind);
  server.Publish();
  BOOST_TEST(server.content("snapshot")["meta"].contains("targets/releases"));
  const auto repository = Trusted(server);
  BOOST_TEST(repository->Find(kReleases) == nullptr);
  BOOST_TEST(!repository->KeysOf(kReleases));
}

BOOST_FIXTURE_TEST_CASE(Undelegated_RoleAndItsFloorAreGone, Published) {
  const auto before = Trusted(server);
  server.Undelegate("targets/releases");
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE_MESSAGE(outcome, DetailOf(outcome));
  BOOST_TEST(outcome->repository->Find(kReleases) == nullptr);
  BOOST_TEST(!outcome->repository->floors().contains(kReleases.text()));
}

BOOST_FIXTURE_TEST_CASE(RoleNoLongerRead_KeepsItsFloorWhileItIsDelegated, Published) {
  const RoleName alice = RoleName::Parse("targets/alice").value();
  server.Delegate("targets/alice", {SigningKey::Ecdsa()});
  server.Sign("targets/alice", "1.0", kOld);
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  start.roles.push_back(alice);
  auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);

  start.roles.pop_back();
  start.previous = outcome->repository;
  server.Sign("targets/alice", "1.0", kNew);
  server.Publish();
  outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->repository->Find(alice) == nullptr);
  BOOST_TEST(outcome->repository->floors().at(alice.text()).version == 1);

  start.previous = outcome->repository;
  server.Undelegate("targets/alice");
  server.Publish();
  outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(!outcome->repository->floors().contains(alice.text()));
}

BOOST_FIXTURE_TEST_CASE(DelegationKeysChanged_SameFileIsVerifiedAgain, Published) {
  const auto before = Trusted(server);
  // Another key is named for the role, but nobody signs the role anew.
  const SigningKey other = SigningKey::Ecdsa();
  server.Delegate("targets/releases", {other});
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.reason == Reason::kSignature));
  BOOST_TEST(outcome.error().at == "targets/releases");
}

BOOST_FIXTURE_TEST_CASE(DelegationThresholdRaised_SameFileIsVerifiedAgain, Published) {
  const auto before = Trusted(server);
  auto keys = server.keys("targets/releases");
  keys.push_back(SigningKey::Ecdsa());
  server.Delegate("targets/releases", keys, 2);
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.reason == Reason::kThreshold));
}

BOOST_FIXTURE_TEST_CASE(DelegationKeyAdded_SameFileIsReused, Published) {
  const auto before = Trusted(server);
  auto keys = server.keys("targets/releases");
  keys.push_back(SigningKey::Ecdsa());
  server.Delegate("targets/releases", keys);
  server.Publish();
  const auto outcome = RunRefresh(After(server, before), server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->repository->Find(kReleases) == before->Find(kReleases));
}

BOOST_FIXTURE_TEST_CASE(UnknownCollection_IsSaid, Published) {
  server.RefuseAll({FetchFailure::Kind::kNotFound, {}});
  const auto outcome = RunRefresh(server.Start(), server);
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.reason == Reason::kNoTrustData));
  BOOST_TEST(outcome.error().not_found);
  BOOST_TEST(server.requests() == Requests{"root.json"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(Network_CauseIsKept, Published) {
  for (const NetworkCause cause :
       {NetworkCause::kUnreachable, NetworkCause::kTimeout, NetworkCause::kTls,
        NetworkCause::kCredentialsRefused, NetworkCause::kServerError}) {
    server.RefuseAll({FetchFailure::Kind::kNetwork, cause});
    const auto outcome = RunRefresh(server.Start(), server);
    BOOST_REQUIRE(!outcome);
    BOOST_TEST((outcome.error().error.reason == Reason::kUnreachable));
    BOOST_TEST((outcome.error().cause == cause));
    BOOST_TEST(!outcome.error().not_found);
  }
}

BOOST_FIXTURE_TEST_CASE(ListedFileMissing_IsUnavailable, Published) {
  for (const char* role : {"snapshot", "targets", "targets/releases"}) {
    server.Recover();
    server.Refuse(server.FileName(role), FetchFailure{});
    const auto outcome = RunRefresh(server.Start(), server);
    BOOST_REQUIRE(!outcome);
    BOOST_TEST((outcome.error().error.reason == Reason::kNoTrustData));
    BOOST_TEST(!outcome.error().not_found);
    BOOST_TEST(outcome.error().at == role);
  }
}

BOOST_FIXTURE_TEST_CASE(Requests_CarryTheirCaps, Published) {
  MetadataUpdate::Start start = server.Start();
  start.limits.targets_bytes = server.bytes("targets").size() - 1;
  const auto outcome = RunRefresh(start, [&](const MetadataRequest& request) {
    BOOST_TEST(request.max_bytes > 0u);
    const std::string& targets = server.bytes("targets");
    if (request.file == server.FileName("targets")) {
      BOOST_TEST(request.max_bytes == targets.size() - 1);
    }
    if (request.file == server.FileName("snapshot")) {
      // The listed length is less than the limit.
      BOOST_TEST(request.max_bytes == server.bytes("snapshot").size());
    }
    return server.Fetch(request);
  });
  BOOST_REQUIRE(!outcome);
  BOOST_TEST(outcome.error().at == "targets");
}

BOOST_FIXTURE_TEST_CASE(Wanted_StaysUntilSupplied, Published) {
  MetadataUpdate refresh(server.Start());
  BOOST_TEST(refresh.Wanted()->file == "root.json");
  BOOST_TEST(refresh.Wanted()->file == "root.json");
  refresh.Supply(server.Fetch(*refresh.Wanted()));
  BOOST_TEST(refresh.Wanted()->file == "timestamp.json");
}

BOOST_FIXTURE_TEST_CASE(Expired_RolesFromTheServer_AreRefused, Published) {
  struct Row {
    const char* role;
    hours lifetime;
  };
  for (const auto& [role, lifetime] :
       {Row{"timestamp", hours{1}}, Row{"snapshot", hours{1}}, Row{"targets", hours{1}},
        Row{"targets/releases", hours{1}}, Row{"root", hours{1}}}) {
    SigningRepository copy = server;
    copy.SetExpiry(role, kNow + lifetime);
    copy.Publish();
    MetadataUpdate::Start start = copy.Start();
    BOOST_TEST(RunRefresh(start, copy).has_value());
    // The moment it names is already outside.
    start.now = kNow + lifetime;
    const auto outcome = RunRefresh(start, copy);
    BOOST_REQUIRE(!outcome);
    BOOST_TEST((outcome.error().error.reason == Reason::kExpired));
    BOOST_TEST(outcome.error().at == role);
  }
}

BOOST_FIXTURE_TEST_CASE(Expired_GraceHelpsTimestampAndSnapshotOnly, Published) {
  for (const std::string role : {"timestamp", "snapshot", "targets", "targets/releases", "root"}) {
    SigningRepository copy = server;
    copy.SetExpiry(role, kNow - hours{1});
    copy.Publish();
    MetadataUpdate::Start start = copy.Start();
    start.grace = hours{2};
    const bool graced = role == "timestamp" || role == "snapshot";
    BOOST_TEST(RunRefresh(start, copy).has_value() == graced, role);
  }
}

BOOST_FIXTURE_TEST_CASE(Expired_UnchangedTimestamp_IsRefusedToo, Published) {
  const auto before = Trusted(server);
  const auto outcome = RunRefresh(After(server, before, kNow + hours{24 * 14}), server);
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.reason == Reason::kExpired));
  BOOST_TEST(outcome.error().at == "timestamp");
  BOOST_TEST(server.requests() == Requests{"timestamp.json"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(Store_LoadsWhatWasCommitted, Published) {
  const auto first = RunRefresh(server.Start(), server);
  BOOST_REQUIRE(first);
  StoredFiles store;
  store.Apply(first->files);
  server.Sign("targets/releases", "1.0", kNew);
  server.Publish();
  const auto second = RunRefresh(After(server, first->repository), server);
  BOOST_REQUIRE(second);
  store.Apply(second->files);

  MetadataUpdate::Start start = server.Start();
  start.source = MetadataUpdate::Source::kStore;
  start.floors = second->repository->floors();
  start.verified_at = kNow - hours{3};
  start.now = kNow + hours{24 * 400};  // long expired: that is for the decision to say
  const auto loaded =
      RunRefresh(start, [&](const MetadataRequest& request) { return store.Fetch(request); });
  BOOST_REQUIRE_MESSAGE(loaded, DetailOf(loaded));
  BOOST_TEST((loaded->repository->Lookup(kReleases, "1.0") == kNew));
  BOOST_TEST((loaded->repository->verified_at() == kNow - hours{3}));
  BOOST_TEST((loaded->repository->floors() == second->repository->floors()));
  const auto fresh = loaded->repository->CheckFresh({kReleases}, start.now, {});
  BOOST_REQUIRE(!fresh);
  BOOST_TEST((fresh.error().reason == Reason::kExpired));
}

BOOST_FIXTURE_TEST_CASE(Store_ThatIsDamaged_BringsNothing, Published) {
  const auto committed = RunRefresh(server.Start(), server);
  BOOST_REQUIRE(committed);
  for (const char* name : {"1.root", "timestamp", "snapshot", "targets", "targets/releases"}) {
    for (const bool removed : {true, false}) {
      StoredFiles store;
      for (StoredFile file : committed->files) store.files()[file.name] = *file.bytes;
      if (removed) {
        store.files().erase(name);
      } else {
        store.files()[name].resize(store.files()[name].size() / 2);
      }
      MetadataUpdate::Start start = server.Start();
      start.source = MetadataUpdate::Source::kStore;
      const auto loaded =
          RunRefresh(start, [&](const MetadataRequest& request) { return store.Fetch(request); });
      BOOST_TEST(!loaded, name);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Match_EachPinByItself, Published) {
  MetadataUpdate::Start start = server.Start();
  const RootPin known = start.pins.front();
  RootPin other;
  other.key_ids = {SigningKey::Ecdsa().Parsed().id()};
  start.pins = {other, known};
  const auto outcome = RunRefresh(start, server);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->repository->Match(known, kNow).has_value());
  BOOST_TEST(!outcome->repository->Match(other, kNow));
  RootPin never_given;
  never_given.key_ids = {server.keys("root").front().Parsed().id()};
  BOOST_TEST(outcome->repository->Match(never_given, kNow)->newest);
}

BOOST_FIXTURE_TEST_CASE(ResidentBytes_GrowWithTheTags, Published) {
  const auto small = Trusted(server);
  for (int i = 0; i < 1000; ++i) {
    server.Sign("targets/releases", "tag-" + std::to_string(i), kOld);
  }
  server.Publish();
  const auto large = Trusted(server);
  const std::size_t per_tag = (large->resident_bytes() - small->resident_bytes()) / 1000;
  BOOST_TEST(per_tag >= 32u);
  BOOST_TEST(per_tag <= 200u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
