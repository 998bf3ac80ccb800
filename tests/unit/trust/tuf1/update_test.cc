// SPDX-License-Identifier: Apache-2.0

// The client workflow of TUF 1.0 against a publisher in memory. Cases are named after the tests of
// the conformance suite that they stand for, or after the attack.

#include "trust/tuf1/update.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "tests/support/trust/tuf_refreshed.h"

namespace crivet::trust {
namespace {

using Versions = Refreshed::Versions;
constexpr TimePoint kNow = TufPublisher::kNow;

BOOST_FIXTURE_TEST_SUITE(TufUpdateTest, Refreshed)

// basic_refresh_requests, basic_refresh_trusted_data
BOOST_AUTO_TEST_CASE(Refresh_FirstContact_AsksForFourFilesInOrder) {
  TufNode fresh(server);
  BOOST_TEST(!fresh.Refresh(server));
  Asked({"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"});
  BOOST_TEST(fresh.trusted.IsComplete());
}

BOOST_AUTO_TEST_CASE(Refresh_NothingNew_IsTwoRequests) {
  Accepts({1, 1, 1, 1});
  Asked({"2.root.json", "timestamp.json"});
}

BOOST_AUTO_TEST_CASE(Refresh_WithoutConsistentSnapshot_AsksForPlainNames) {
  server.consistent = false;
  server.Publish({"root"});
  server.PublishEdition();
  Accepts({2, 2, 2, 2});
  Asked({"2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json"});
}

// invalid_initial_root, unsigned_initial_root
BOOST_AUTO_TEST_CASE(FirstRoot_ThatDoesNotMeetItsThreshold_IsNone) {
  BOOST_TEST(!tuf1::ReadFirstRoot("{}", {}));
  const auto unsigned_root = TufPublisher::Signed(server.Content("root"), {});
  BOOST_TEST(!tuf1::ReadFirstRoot(unsigned_root, {}));
}

// unsigned_metadata
BOOST_AUTO_TEST_CASE(Refresh_RoleSignedByAStranger_KeepsWhatCameBefore) {
  const std::vector<std::pair<std::string, Versions>> roles = {
      {"timestamp", {2, 1, 1, 1}}, {"snapshot", {2, 2, 1, 1}}, {"targets", {2, 2, 2, 1}}};
  for (const auto& [role, versions] : roles) {
    BOOST_TEST_CONTEXT(role) {
      Refreshed other;
      other.server[role].signers = {SigningKey::Ed25519()};
      other.server.Publish({"root"});
      other.server.PublishEdition();
      other.Refuses(Reason::kSignature, role, versions);
    }
  }
}

// root_rotation
BOOST_AUTO_TEST_CASE(Root_NextOne_NeedsTheThresholdsOfBoth) {
  const SigningKey old = server["root"].keys.front();
  const SigningKey fresh = SigningKey::Ed25519();
  server["root"].keys = {fresh};
  const TufPublisher before = server;
  for (const SigningKey& only : {old, fresh}) {
    server = before;
    server["root"].signers = {only};
    server.Publish({"root"});
    Refuses(Reason::kSignature, "root", {1, 1, 1, 1});
  }
  server = before;
  server.Publish({"root"});
  Accepts({2, 1, 1, 1});
}

// duplicate_keys: one public key under several names
BOOST_AUTO_TEST_CASE(Root_OneKeyUnderTwoIds_CountsOnce) {
  const SigningKey key = server["root"].keys.front();
  server["root"].version = 2;
  TufPublisher::Json content = server.Content("root");
  TufPublisher::Json twin = TufPublisher::KeyJson(key);
  twin["x"] = 1;
  content["keys"]["other"] = twin;
  content["roles"]["root"] = {{"keyids", {TufPublisher::IdOf(key), "other"}}, {"threshold", 2}};
  auto file = TufPublisher::Json::parse(TufPublisher::Signed(content, {key}));
  file["signatures"].push_back({{"keyid", "other"}, {"sig", file["signatures"][0]["sig"]}});
  server.files["2.root.json"] = file.dump();
  Refuses(Reason::kThreshold, "root", {1, 1, 1, 1});
}

// url_and_metadata_version_mismatch[root]
BOOST_AUTO_TEST_CASE(Root_SkippedVersion_IsRollback) {
  server.Publish({"root"});
  server.Publish({"root"});
  server.files["2.root.json"] = server.files["3.root.json"];
  Refuses(Reason::kRollback, "root", {1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(Root_LinksWithoutEnd_StopAndKeepTheirProgress) {
  node.caps.root_links = 3;
  for (int i = 0; i < 5; ++i) server.Publish({"root"});
  Refuses(Reason::kMalformed, "root", {4, 1, 1, 1});
  Accepts({6, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(Root_TheEndOfTheChain_Is404Or403AndNothingElse) {
  server.failures["2.root.json"] = {FetchFailure::Kind::kNetwork, NetworkCause::kCredentialsRefused,
                                    nullptr};
  Accepts({1, 1, 1, 1});
  server.failures["2.root.json"] = {FetchFailure::Kind::kNetwork, NetworkCause::kServerError,
                                    nullptr};
  Refuses(Reason::kUnreachable, "root", {1, 1, 1, 1});
  server.failures["2.root.json"] =
      FetchFailure::Network({.kind = FetchCause::Kind::kStatus, .status = 403});
  Accepts({1, 1, 1, 1});
  // Who has no credentials has not been told what there is.
  for (const FetchCause& cause : {FetchCause{.kind = FetchCause::Kind::kStatus, .status = 401},
                                  FetchCause{.kind = FetchCause::Kind::kTokenRefused,
                                  .asked = FetchCause::Asked::kTokenServer,
                                  .status = 403},
                                  FetchCause{.kind = FetchCause::Kind::kAuthFile}}) {
    server.failures["2.root.json"] = FetchFailure::Network(cause);
    Refuses(Reason::kUnreachable, "root", {1, 1, 1, 1});
  }
}

// root_expired
BOOST_AUTO_TEST_CASE(Root_LastOneExpired_IsKeptAndEndsTheRefresh) {
  server["root"].expires = "2026-05-01T00:00:00Z";
  server.Publish({"root"});
  server.PublishEdition();
  Refuses(Reason::kExpired, "root", {2, 1, 1, 1});
  server["root"].expires = "2040-01-01T00:00:00Z";
  server.Publish({"root"});
  Accepts({3, 2, 2, 2});
}

BOOST_AUTO_TEST_CASE(Expiry_TheMomentItself_IsExpired) {
  server["timestamp"].expires = FormatRfc3339(kNow + std::chrono::seconds{1});
  server.Publish({"timestamp"});
  Accepts({1, 2, 1, 1});
  const auto refused = node.Refresh(server, kNow + std::chrono::seconds{1});
  BOOST_REQUIRE(refused);
  BOOST_TEST(CodeOf(*refused) == "expired");
}

// timestamp_expired, snapshot_expired, targets_expired
BOOST_AUTO_TEST_CASE(Refresh_ExpiredRole_IsRefusedAndWhatCameBeforeIsKept) {
  const std::vector<std::pair<std::string, Versions>> roles = {
      {"timestamp", {1, 1, 1, 1}}, {"snapshot", {1, 2, 1, 1}}, {"targets", {1, 2, 2, 1}}};
  for (const auto& [role, versions] : roles) {
    BOOST_TEST_CONTEXT(role) {
      Refreshed other;
      other.server[role].expires = "2026-05-01T00:00:00Z";
      other.server.PublishEdition();
      other.Refuses(Reason::kExpired, role, versions);
    }
  }
}

// expired_local_timestamp
BOOST_AUTO_TEST_CASE(Refresh_ExpiredFilesOnTheNode_HinderNothing) {
  server["timestamp"].expires = server["snapshot"].expires = "2026-06-02T00:00:00Z";
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server["timestamp"].expires = server["snapshot"].expires = "2040-01-01T00:00:00Z";
  server.PublishEdition();
  BOOST_TEST(!node.Refresh(server, kNow + std::chrono::hours{100}));
}

// timestamp_content_changes
BOOST_AUTO_TEST_CASE(Timestamp_EqualVersionWithOtherContent_IsDiscarded) {
  server.Publish({"snapshot"});
  SignAgain("timestamp");
  Accepts({1, 1, 1, 1});
  Asked({"2.root.json", "timestamp.json"});
}

// new_timestamp_version_rollback
BOOST_AUTO_TEST_CASE(Timestamp_OlderVersion_IsRollback) {
  const TufPublisher older = server;
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server = older;
  Refuses(Reason::kRollback, "timestamp", {1, 2, 2, 2});
}

// snapshot_rollback
BOOST_AUTO_TEST_CASE(Timestamp_ListsAnOlderSnapshot_IsRollback) {
  for (const bool hashes : {false, true}) {
    Refreshed other;
    other.server.lists_hashes = hashes;
    other.server.PublishEdition();
    other.Accepts({1, 2, 2, 2});
    other.server["snapshot"].version = 1;
    other.server.Publish({"timestamp"});
    other.Refuses(Reason::kRollback, "timestamp", {1, 2, 2, 2});
  }
}

// targets_rollback; in two attempts the second meets the same floor
BOOST_AUTO_TEST_CASE(Snapshot_ListsOlderTargets_IsRollbackEveryTime) {
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server["targets"].version = 1;
  server.Publish({"snapshot", "timestamp"});
  Refuses(Reason::kRollback, "snapshot", {1, 3, 2, 2});
  Refuses(Reason::kRollback, "snapshot", {1, 3, 2, 2});
  // What was complete is not any more: the newest timestamp lists another snapshot.
  BOOST_TEST(!node.trusted.IsComplete());
}

// targets_role_removal
BOOST_AUTO_TEST_CASE(Snapshot_AnEntryVanishes_IsRollback) {
  server.Delegate("targets", "web", {"web:*"});
  server.PublishEdition({"targets", "web"});
  Accepts({1, 2, 2, 2});
  server.unlisted.insert("web");
  server.PublishEdition();
  Refuses(Reason::kRollback, "snapshot", {1, 3, 2, 2});
}

// targets_, new_snapshot_, new_timestamp_fast_forward_recovery
BOOST_AUTO_TEST_CASE(FastForward_TheRightKeysRotate_VersionsMayFall) {
  constexpr std::int64_t kHighest = 9007199254740990;
  for (const char* role : {"timestamp", "snapshot", "targets"}) server[role].version = kHighest;
  server.PublishEdition();
  Accepts({1, kHighest + 1, kHighest + 1, kHighest + 1});
  for (const char* role : {"timestamp", "snapshot"}) server[role].keys = {SigningKey::Ed25519()};
  for (const char* role : {"timestamp", "snapshot", "targets"}) server[role].version = 0;
  server.Publish({"root"});
  server.PublishEdition();
  Accepts({2, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(FastForward_AKeyIsOnlyAdded_VersionsMayNotFall) {
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server["timestamp"].keys.push_back(SigningKey::Ed25519());
  server["timestamp"].version = 0;
  server.Publish({"root"});
  server.Publish({"timestamp"});
  Refuses(Reason::kRollback, "timestamp", {2, 2, 2, 2});
}

// incorrect_metadata_type
BOOST_AUTO_TEST_CASE(Timestamp_IsASnapshot_IsMalformed) {
  ++server["timestamp"].version;
  TufPublisher::Json content = server.Content("snapshot");
  content["version"] = 2;
  server.files["timestamp.json"] = TufPublisher::Signed(content, server["timestamp"].keys);
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
}

// snapshot_hash_mismatch, targets_hash_mismatch, basic_metadata_hash_support
BOOST_AUTO_TEST_CASE(Listed_BytesThatDoNotFit_AreRefused) {
  server.lists_hashes = true;
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server.PublishEdition();
  server.files[server.NameOf("snapshot")] += " ";
  Refuses(Reason::kMalformed, "snapshot", {1, 3, 2, 2});
  server.files[server.NameOf("snapshot")].pop_back();
  std::string& targets = server.files[server.NameOf("targets")];
  targets[targets.find('\n')] = ' ';
  Refuses(Reason::kHash, "targets", {1, 3, 3, 2});
}

BOOST_AUTO_TEST_CASE(Listed_ByAnUnknownHashAlone_IsRefused) {
  server.listed["snapshot"] = {{"version", 2}, {"hashes", {{"blake3", "00"}}}};
  server.PublishEdition();
  Refuses(Reason::kHash, "snapshot", {1, 2, 1, 1});
}

BOOST_AUTO_TEST_CASE(Listed_WithALengthThatIsNotTheFiles_IsRefused) {
  for (const int length : {10, 100 * 1000}) {
    server.listed["snapshot"] = {{"version", server["snapshot"].version + 1}, {"length", length}};
    server.PublishEdition();
    const auto failed = node.Refresh(server);
    BOOST_REQUIRE(failed);
    BOOST_TEST((*failed == (length == 10 ? Reason::kMalformed : Reason::kHash)));
    BOOST_TEST(node.at == "snapshot");
  }
}

// url_and_metadata_version_mismatch[snapshot, targets]
BOOST_AUTO_TEST_CASE(Listed_VersionIsAnother_IsRollback) {
  server.PublishEdition();
  server["snapshot"].version = 3;
  server.files["2.snapshot.json"] =
      TufPublisher::Signed(server.Content("snapshot"), server["snapshot"].keys);
  Refuses(Reason::kRollback, "snapshot", {1, 2, 1, 1});
}

// snapshot_404, targets_404, timestamp_404
BOOST_AUTO_TEST_CASE(Refresh_MissingFile_EndsItThere) {
  server.PublishEdition();
  server.files.erase("2.snapshot.json");
  Refuses(Reason::kNoTrustData, "snapshot", {1, 2, 1, 1});
  BOOST_TEST(server.asked.back() == "2.snapshot.json");
  server.files.erase("timestamp.json");
  Refuses(Reason::kNoTrustData, "timestamp", {1, 2, 1, 1});
}

// metadata_bytes_match
BOOST_AUTO_TEST_CASE(Files_AreKeptAsTheyWereServed) {
  server.PublishEdition();
  server.files["timestamp.json"] += " ";
  Accepts({1, 2, 2, 2});
  BOOST_TEST(*node.trusted.timestamp->bytes == server.files["timestamp.json"]);
}

// custom_fields, deprecated_keyid_hash_algorithms
BOOST_AUTO_TEST_CASE(UnknownMembers_AreSignedAndIgnored) {
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    server[role].also = {{"x-custom", {{"deep", {1, "two"}}}}};
  }
  server.Publish({"root"});
  server.PublishEdition();
  Accepts({2, 2, 2, 2});
}

// snapshot_does_not_meet_threshold, snapshot_has_too_few_keys
BOOST_AUTO_TEST_CASE(Threshold_NotMetOrBeyondTheKeys_RefusesThatRoleAlone) {
  const SigningKey second = SigningKey::Ed25519();
  const SigningKey third = SigningKey::Ed25519();
  server["snapshot"].signers = {server["snapshot"].keys.front(), second};
  server["snapshot"].keys.insert(server["snapshot"].keys.end(), {second, third});
  server["snapshot"].threshold = 3;
  server.Publish({"root"});
  server.PublishEdition();
  Refuses(Reason::kThreshold, "snapshot", {2, 2, 0, 1});
  server["snapshot"].threshold = 6;
  server.Publish({"root"});
  Refuses(Reason::kThreshold, "snapshot", {3, 2, 0, 1});
}

BOOST_AUTO_TEST_CASE(Threshold_OfNothing_IsMalformed) {
  for (const int threshold : {0, -1}) {
    Refreshed other;
    other.server["timestamp"].threshold = threshold;
    other.server.Publish({"root"});
    other.Refuses(Reason::kMalformed, "root", {1, 1, 1, 1});
  }
}

// duplicate_sig_keyids
BOOST_AUTO_TEST_CASE(Signatures_OneKeyTwice_IsMalformed) {
  server.Publish({"timestamp"});
  auto file = TufPublisher::Json::parse(server.files["timestamp.json"]);
  file["signatures"].push_back(file["signatures"][0]);
  server.files["timestamp.json"] = file.dump();
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
}

// invalid_sig_in_valid_metadata
BOOST_AUTO_TEST_CASE(Signatures_BadOrEmptyBesideEnough_AreIgnored) {
  server["timestamp"].keys.push_back(SigningKey::Ed25519());
  server.Publish({"root", "timestamp"});
  auto file = TufPublisher::Json::parse(server.files["timestamp.json"]);
  for (const char* sig : {"00", ""}) {
    file["signatures"][1]["sig"] = sig;
    server.files["timestamp.json"] = file.dump();
    Accepts({2, 2, 1, 1});
  }
}

BOOST_AUTO_TEST_CASE(Signatures_WithoutEnd_AreMalformed) {
  server.Publish({"timestamp"});
  auto file = TufPublisher::Json::parse(server.files["timestamp.json"]);
  for (int i = 0; i < 1000; ++i) {
    file["signatures"].push_back({{"keyid", std::to_string(i)}, {"sig", ""}});
  }
  server.files["timestamp.json"] = file.dump();
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(Header_OtherSpecificationOrTime_IsMalformed) {
  const std::vector<TufPublisher::Json> wrong = {
      {{"spec_version", "2.0.0"}},
      {{"expires", "2040-01-01T00:00:00+00:00"}},
      {{"expires", "2040-01-01T00:00:00.5Z"}},
      {{"version", 9007199254740992}},
  };
  for (const auto& also : wrong) {
    Refreshed other;
    other.server["timestamp"].also = also;
    other.server.Publish({"timestamp"});
    other.Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
  }
}

BOOST_AUTO_TEST_CASE(Bodies_TooLargeOrNoMetadata_AreRefused) {
  server.files["timestamp.json"] = "<html>log in first</html>";
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
  server.files["timestamp.json"] = std::string(65 * 1024, ' ');
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
  std::string deep;
  for (int i = 0; i < 10000; ++i) deep += '[';
  server.files["timestamp.json"] = deep;
  Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
  BOOST_TEST(node.trusted.IsComplete());
}

// non_root_rotations
BOOST_AUTO_TEST_CASE(Targets_KeyRotatesUnderTheSameVersion_IsAskedForAgain) {
  server["targets"].keys = {SigningKey::Ed25519()};
  server.Publish({"root"});
  Refuses(Reason::kSignature, "targets", {2, 1, 1, 1});
  SignAgain("targets");
  Accepts({2, 1, 1, 1});
}

// Signed twice under one version; which of the two counts is for the snapshot to say.
BOOST_AUTO_TEST_CASE(Targets_ListedAnewByAnotherHash_IsAskedForAgain) {
  for (const char* algorithm : {"sha256", "sha512", "blake2b"}) {
    BOOST_TEST_CONTEXT(algorithm) {
      Refreshed other;
      other.server["targets"].also["x-note"] = algorithm;
      other.SignAgain("targets");
      const std::string& bytes = other.server.files.at("1.targets.json");
      const bool short_one = std::string_view(algorithm) == "sha256";
      const std::string hex = short_one ? ToHex(Sha256Of(bytes)) : ToHex(Sha512Of(bytes));
      other.server.listed["targets"] = {{"version", 1}, {"hashes", {{algorithm, hex}}}};
      other.server.PublishEdition({});
      const auto refused = other.node.Refresh(other.server);
      BOOST_TEST(other.server.asked.back() == "1.targets.json");
      if (std::string_view(algorithm) == "blake2b") {
        BOOST_TEST((refused == Reason::kHash));
        BOOST_TEST(!other.node.trusted.IsComplete());
      } else {
        BOOST_TEST(!refused);
        BOOST_TEST(*other.node.trusted.roles.find("targets")->second.bytes == bytes);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
