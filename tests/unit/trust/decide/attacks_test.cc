// SPDX-License-Identifier: Apache-2.0

// Attacks that broke Notary or another TUF client, each tried on a node that has verified an honest
// edition before, again and again, and across restarts. trust/notary/FORMAT.md#attacks name them.
//
// Where each row of trust/notary/FORMAT.md#attacks is, in its order; without a file's name, here:
//   CVE-2015-9258          AlgorithmChosenByTheFile, KeyClaimedToBeOfAnotherType; public_key_test
//   CVE-2015-9259          ExpiredRoot
//   NCC-3, TUF-01-002      FastForward_*
//   NCC-5..8               file_store_test Folders_AreForTheOwnerAlone; http_fetcher_test Tls_*;
//                          config_test Bad_File_* MissingCaFile; token_source_test Wipe_*
//   NCC App. A             ThresholdsThatAreNone; metadata_test Root_Threshold*
//   TUF-01-001             UnsignedMember_ChangesNothing
//   TUF-01-003             TimestampKeyHolder_*, SnapshotKeyHolder_*
//   TUF-01-004             RoleNamesThatArePaths; file_store_test Names_OfAnyShape_*
//   "this work"            Nulls_*, DuplicateMembers_*, DeepNesting, SameVersion_OtherContent,
//                          TimestampKeyHolder_*, SnapshotKeyHolder_*
//   builder.go (latent)    ExpiredRootThenBadDelegation
//   CVE-2020-6173          ThousandsOfSignatures
//   CVE-2020-6174 and its kind, GHSA-77hh-43cm-v8j6
//                          OneSignerManyTimes_MeetsNoThreshold; signature_threshold_test
//   CVE-2020-15163         BadNextRoot_*; root_chain_test Link_*
//   CVE-2021-41131 and its kind
//                          RoleNamesThatArePaths; file_store_test SymbolicLinks_*,
//                          Names_OfAnyShape_*
//   CVE-2022-29173         FloorsOutliveTheMetadata
//   CVE-2024-47534         decide_test Pull_TheFirstRoleThatListsTheTag_Decides
//   CVE-2026-23991         metadata_test EveryMember_*
//   CVE-2026-23992         ThresholdsThatAreNone; metadata_test *Threshold*
//   go-tuf's four commits  metadata_test Root_OnePublicKeyUnderTwoIds_*,
//   Targets_DigestsThatAreNone_*,
//                          Root_ShortEd25519Key_*; SnapshotKeyHolder_DropsDelegation
//   conformance 672d7c0    refresh_test DelegationKeysChanged_*, DelegationThresholdRaised_*
//   CVE-2025-2885          RootVersionThatIsNotTheNext
//   CVE-2025-2886          of TUF 1.0
//   CVE-2025-2887, -2888   SnapshotKeyHolder_*, TimestampKeyHolder_*
//   cycles, CVE-2026-6967  DelegationCycle, ExpiredDelegation, DelegationLongerThanListed
//   Connaisseur's regex    image_reference_test Parse_NamesMadeToExplode_*; wildcard_test
//   Connaisseur, earlier   of Kubernetes; the pause image: gate/run_pod_sandbox_test
//   CVE-2024-3727          image_reference_test Parse_AnythingElse_IsMalformed
//   X41 TUF-CR-22-03       NumberOfManyDigits
//   distribution/reference image_reference_test Parse_Vectors_*, Parse_OutsideTheGrammar_*

#include <boost/test/unit_test.hpp>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust/trusting_node.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using Json = SigningRepository::Json;

constexpr TimePoint kNow = SigningRepository::kNow;
const Sha256Digest kVulnerable = DigestOf("an old image with a hole");
const Sha256Digest kGood = DigestOf("the image as it is signed now");
const Sha256Digest kEvil = DigestOf("an image of the attacker");
const std::string kReleases = "targets/releases";

Json EntryOf(const std::string& file) {
  return {{"length", file.size()}, {"hashes", {{"sha256", ToBase64(Sha256Of(file))}}}};
}

// Edition 2 signs the vulnerable image, edition 3 the good one, in targets and in targets/releases;
// `old` is the server as it was at edition 2. The node knows edition 3.
struct Honest {
  SigningRepository server;
  SigningRepository old;
  TrustingNode node;

  Honest() : node(server.Start()) {
    server.Delegate(kReleases, {SigningKey::Ecdsa()});
    server.Sign("targets", "base", kVulnerable);
    server.Sign(kReleases, "1.0", kVulnerable);
    server.Publish();
    old = server;
    server.Sign("targets", "base", kGood);
    server.Sign(kReleases, "1.0", kGood);
    server.Publish();
    node = TrustingNode(server.Start());
    const auto failed = node.RefreshFrom(server);
    BOOST_REQUIRE_MESSAGE(!failed, DetailOf(failed));
    CheckGood();
  }

  void CheckGood() {
    BOOST_TEST((node.Lookup("targets", "base") == kGood));
    BOOST_TEST((node.Lookup(kReleases, "1.0") == kGood));
  }

  // kubelet retries, so an attempt never comes alone; and a node may restart in between.
  void CheckRefusedForEver(SigningRepository& attacker, Reason reason, const std::string& role) {
    const Floors floors = node.floors();
    std::string detail;
    for (int attempt = 1; attempt <= 3; ++attempt) {
      for (const bool restarted : {false, true}) {
        BOOST_TEST_CONTEXT("attempt " << attempt << (restarted ? " after a restart" : "")) {
          if (restarted) BOOST_REQUIRE(!node.Restart());
          const auto failed = node.RefreshFrom(attacker);
          BOOST_REQUIRE(failed);
          BOOST_TEST(CodeOf(failed->error.reason) == CodeOf(reason), failed->error.detail);
          BOOST_TEST(failed->at == role);
          BOOST_TEST(!failed->newer_anchors);
          // kubelet merges errors only when they are the same bytes.
          if (!detail.empty()) BOOST_TEST(failed->error.detail == detail);
          detail = failed->error.detail;
          BOOST_TEST((node.floors() == floors));
          CheckGood();
        }
      }
    }
    BOOST_TEST(!node.RefreshFrom(server));
    CheckGood();
  }

  // The server as whoever holds the keys of `roles` can make it: these edits, signed.
  SigningRepository ByHolderOf(const std::map<std::string, Damage>& damages) {
    SigningRepository attacker = server;
    attacker.Publish(damages);
    return attacker;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(AttacksTest)

// trust/notary/FORMAT.md#the-update-of-notarys-client, A; tough CVE-2025-2888, go-tuf
// CVE-2022-29173: Notary's client accepts it at the second attempt, because the first leaves the
// new timestamp in its cache.
BOOST_FIXTURE_TEST_CASE(TimestampKeyHolder_RollsSnapshotBack, Honest) {
  SigningRepository attacker = ByHolderOf({{"timestamp", Content([&](Json& content) {
                                              content["meta"]["snapshot"] =
                                                  EntryOf(old.bytes("snapshot"));
                                            })}});
  CheckRefusedForEver(attacker, Reason::kRollback, "snapshot");
}

// trust/notary/FORMAT.md#the-update-of-notarys-client, B; tough CVE-2025-2887: Notary's client
// accepts it at once, because targets.json did not change.
BOOST_FIXTURE_TEST_CASE(SnapshotKeyHolder_RollsDelegationBack, Honest) {
  SigningRepository attacker = ByHolderOf({{"snapshot", Content([&](Json& content) {
                                              content["meta"][kReleases] =
                                                  EntryOf(old.bytes(kReleases));
                                            })}});
  CheckRefusedForEver(attacker, Reason::kRollback, kReleases);
}

BOOST_FIXTURE_TEST_CASE(SnapshotKeyHolder_RollsTargetsBack, Honest) {
  SigningRepository attacker = ByHolderOf({{"snapshot", Content([&](Json& content) {
                                              content["meta"]["targets"] =
                                                  EntryOf(old.bytes("targets"));
                                            })}});
  CheckRefusedForEver(attacker, Reason::kRollback, "targets");
}

// trust/notary/FORMAT.md#the-update-of-notarys-client, C: without its entry the lookup would fall
// through to `targets`.
BOOST_FIXTURE_TEST_CASE(SnapshotKeyHolder_DropsDelegation, Honest) {
  SigningRepository attacker =
      ByHolderOf({{"snapshot", Content([&](Json& content) { content["meta"].erase(kReleases); })}});
  CheckRefusedForEver(attacker, Reason::kRollback, kReleases);
}

// trust/notary/FORMAT.md#the-update-of-notarys-client, D.
BOOST_FIXTURE_TEST_CASE(SameVersion_OtherContent, Honest) {
  for (const std::string role : {"timestamp", "snapshot", "targets", "targets/releases"}) {
    SigningRepository attacker = server;
    attacker.SetNextVersion(role, server.version(role));
    attacker.SetExpiry(role, kNow + hours{24 * 300});
    attacker.Publish();
    CheckRefusedForEver(attacker, Reason::kRollback, role);
  }
}

// The whole server, put back from a backup.
BOOST_FIXTURE_TEST_CASE(ServerRestoredFromBackup, Honest) {
  CheckRefusedForEver(old, Reason::kRollback, "timestamp");
}

// The server's repository deleted and made again: other keys, versions from the beginning.
BOOST_FIXTURE_TEST_CASE(RepositoryBegunAnew, Honest) {
  SigningRepository anew;
  anew.Sign("targets", "base", kEvil);
  anew.Publish();
  CheckRefusedForEver(anew, Reason::kRollback, "root");
}

// trust/notary/FORMAT.md#json-that-two-readers-take-differently.
BOOST_FIXTURE_TEST_CASE(DuplicateMembers_UnderAGoodSignature, Honest) {
  const std::string evil = R"("targets":{"base":{"hashes":{"sha256":")" + ToBase64(kEvil.bytes()) +
                           R"("},"length":1}},)";
  SigningRepository attacker = ByHolderOf({{"targets", Bytes([&](std::string& bytes) {
                                              const auto at = bytes.find("\"targets\":{");
                                              BOOST_REQUIRE(at != std::string::npos);
                                              bytes.insert(at, evil);
                                            })}});
  CheckRefusedForEver(attacker, Reason::kMalformed, "targets");
}

BOOST_FIXTURE_TEST_CASE(DuplicateMembers_OfTheEnvelopeAndOfMeta, Honest) {
  for (const auto& [before, twice] :
       {std::pair{"\"signed\":", R"("signed":{},)"}, std::pair{"\"signed\":", R"("SIGNED":{},)"},
        std::pair{"\"meta\":", R"("meta":{},)"}, std::pair{"\"hashes\":", R"("hashes":{},)"}}) {
    std::string bytes = server.bytes("timestamp");
    bytes.insert(bytes.find(before), twice);
    SigningRepository attacker = server;
    attacker.Serve("timestamp.json", bytes);
    CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
  }
}

// trust/notary/FORMAT.md#json-that-two-readers-take-differently: each of these crashes Notary's
// client, most without a key.
BOOST_FIXTURE_TEST_CASE(Nulls_WhereObjectsAreExpected, Honest) {
  for (const char* bytes :
       {R"({"signed":null,"signatures":[{"keyid":"","method":"","sig":""}]})",
        R"({"signed":{},"signatures":[null]})", R"({"signed":{},"signatures":null})", "null"}) {
    SigningRepository attacker = server;
    attacker.Serve("timestamp.json", bytes);
    CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
  }
  SigningRepository attacker = ByHolderOf({{"targets", Content([](Json& content) {
                                              content["delegations"]["roles"].push_back(nullptr);
                                            })}});
  CheckRefusedForEver(attacker, Reason::kMalformed, "targets");
}

BOOST_FIXTURE_TEST_CASE(DeepNesting, Honest) {
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", std::string(60000, '['));
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
  attacker.Serve("timestamp.json",
                 R"({"signed":)" + std::string(30000, '[') + std::string(30000, ']') + "}");
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
}

// python X41 TUF-CR-22-03: reading a number must not take quadratic time.
BOOST_FIXTURE_TEST_CASE(NumberOfManyDigits, Honest) {
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", R"({"signed":{"version":)" + std::string(60000, '9') + "}}");
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
}

// CVE-2020-6173.
BOOST_FIXTURE_TEST_CASE(ThousandsOfSignatures, Honest) {
  Json envelope = Json::parse(server.bytes("timestamp"));
  const Json signature = envelope["signatures"][0];
  for (int i = 0; i < 100; ++i) envelope["signatures"].push_back(signature);
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", envelope.dump());
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
}

BOOST_FIXTURE_TEST_CASE(EndlessWhiteSpace, Honest) {
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", server.bytes("timestamp") + std::string(1 << 20, ' '));
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
}

// CVE-2015-9258: an RSA key's bytes claimed to be another type's, methods of other types.
BOOST_FIXTURE_TEST_CASE(AlgorithmChosenByTheFile, Honest) {
  for (const char* method : {"rsapss", "eddsa", "rsapkcs1v15"}) {
    SigningRepository attacker = server;
    Damage damage;
    damage.envelope = [&](Json& envelope) { envelope["signatures"][0]["method"] = method; };
    attacker.Publish({{kReleases, damage}});
    CheckRefusedForEver(attacker, Reason::kSignature, kReleases);
  }
}

BOOST_AUTO_TEST_CASE(KeyClaimedToBeOfAnotherType) {
  SigningRepository server;
  const SigningKey rsa = SigningKey::Rsa();
  for (const char* type : {"ed25519", "ecdsa", "ecdsa-x509", "rsa-x509"}) {
    const SigningKey lying = rsa.CalledType(type);
    SigningRepository attacker = server;
    attacker.SetKeys("targets", {lying});
    attacker.Publish();
    const auto outcome = RunRefresh(attacker.Start(), attacker);
    BOOST_REQUIRE(!outcome);
    // The key counts for nothing, so nobody can sign for the role.
    BOOST_TEST(CodeOf(outcome.error().error.reason) == "threshold");
  }
}

// CVE-2015-9259: an expired root, on the server and in the cache.
BOOST_AUTO_TEST_CASE(ExpiredRoot) {
  SigningRepository server;
  server.SetExpiry("root", kNow + hours{1});
  server.Publish();
  TrustingNode node(server.Start());
  BOOST_REQUIRE(!node.RefreshFrom(server));
  node.start().now = kNow + hours{1};
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST((failed->error.reason == Reason::kExpired));
  BOOST_TEST(!node.trusted()->CheckFresh({}, kNow + hours{1}, hours{24}).has_value());
}

// A crash of Notary's builder: an expired cached root, then a delegation with a bad signature.
BOOST_AUTO_TEST_CASE(ExpiredRootThenBadDelegation) {
  SigningRepository server;
  server.SetExpiry("root", kNow + hours{1});
  server.Delegate("targets/releases", {SigningKey::Ecdsa()});
  server.Touch("targets/releases");
  server.Publish();
  TrustingNode node(server.Start());
  BOOST_REQUIRE(!node.RefreshFrom(server));
  node.start().now = kNow + hours{2};
  server.SetExpiry("root", kNow + hours{48});
  Damage unsigned_file;
  unsigned_file.signers = std::vector<SigningKey>{};
  server.Publish({{"targets/releases", unsigned_file}});
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "signature");
  BOOST_TEST(failed->at == "targets/releases");
}

// NCC-3, Cure53 TUF-01-002: a version driven up to the end must neither overflow nor lock anybody
// out for good.
BOOST_AUTO_TEST_CASE(FastForward_HealsWhenTheKeyIsTakenAway) {
  for (const std::int64_t version :
       {std::int64_t{2147483647}, std::int64_t{2147483648}, (std::int64_t{1} << 53) - 1}) {
    for (const std::string role : {"timestamp", "snapshot", "targets", "targets/releases"}) {
      BOOST_TEST_CONTEXT(role << " at " << version) {
        SigningRepository server;
        server.Delegate(kReleases, {SigningKey::Ecdsa()});
        server.Sign(kReleases, "1.0", kGood);
        server.Publish();
        SigningRepository attacker = server;
        attacker.SetNextVersion(role, version);
        attacker.Publish();
        TrustingNode node(server.Start());
        BOOST_REQUIRE(!node.RefreshFrom(attacker));
        server.Touch("timestamp");
        server.Touch("snapshot");
        server.Touch("targets");
        server.Publish();
        const auto failed = node.RefreshFrom(server);
        BOOST_REQUIRE(failed);
        BOOST_TEST(CodeOf(failed->error.reason) == "rollback", failed->error.detail);
        // The attacker's key is taken away. What the attacker drove up with it counts no more; the
        // other roles were signed with honest keys, so they go on from where they are.
        if (role != "timestamp") {
          server.SetNextVersion("timestamp", attacker.version("timestamp") + 1);
          if (role != "snapshot") {
            server.SetNextVersion("snapshot", attacker.version("snapshot") + 1);
          }
        }
        server.SetKeys(role, {SigningKey::Ecdsa()});
        server.Publish();
        const auto healed = node.RefreshFrom(server);
        BOOST_REQUIRE_MESSAGE(!healed, DetailOf(healed));
        BOOST_TEST(node.floors().at(role).version < 100);
        BOOST_TEST((node.Lookup(kReleases, "1.0") == kGood));
        BOOST_TEST(!node.Restart());
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(FastForward_BeyondWhatADoubleHolds, Honest) {
  for (const char* version : {"9007199254740992", "9223372036854775807", "9223372036854775808",
                              "18446744073709551616", "1e3", "3.0", "-1", "0"}) {
    SigningRepository attacker = server;
    attacker.Publish({{"timestamp", Bytes([&](std::string& bytes) {
                         const std::string name = "\"version\":";
                         const auto at = bytes.find(name) + name.size();
                         bytes.replace(at, bytes.find_first_of(",}", at) - at, version);
                       })}});
    // Zero and less are numbers; what is wrong with them shows only once the signature is asked.
    const bool number = std::string(version) == "-1" || std::string(version) == "0";
    CheckRefusedForEver(attacker, number ? Reason::kSignature : Reason::kMalformed, "timestamp");
  }
}

// A floor holds as long as every key that signed at it holds the role.
BOOST_FIXTURE_TEST_CASE(AddingAKey_DropsNoFloor, Honest) {
  for (const std::string role : {"timestamp", "snapshot", "targets"}) {
    SigningRepository attacker = server;
    auto keys = server.keys(role);
    keys.push_back(SigningKey::Ecdsa());
    attacker.SetKeys(role, keys);
    attacker.SetNextVersion(role, 1);
    attacker.Publish();
    TrustingNode fresh = node;
    const auto failed = fresh.RefreshFrom(attacker);
    BOOST_REQUIRE(failed);
    BOOST_TEST(CodeOf(failed->error.reason) == "rollback", failed->error.detail);
    BOOST_TEST(failed->at == role);
  }
  SigningRepository attacker = server;
  auto keys = server.keys(kReleases);
  keys.push_back(SigningKey::Ecdsa());
  attacker.SetKeys(kReleases, keys);
  attacker.SetNextVersion(kReleases, 1);
  attacker.Publish();
  CheckRefusedForEver(attacker, Reason::kRollback, kReleases);
}

// NCC App. A, go-tuf CVE-2026-23992.
BOOST_AUTO_TEST_CASE(ThresholdsThatAreNone) {
  for (const Json& threshold :
       {Json(0), Json(-1), Json(2), Json((std::int64_t{1} << 53) - 1), Json(nullptr)}) {
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      SigningRepository server;
      server.Publish({{"root", Content([&](Json& content) {
                         content["roles"][role]["threshold"] = threshold;
                       })}});
      const auto outcome = RunRefresh(server.Start(), server);
      BOOST_REQUIRE(!outcome);
      BOOST_TEST(CodeOf(outcome.error().error.reason) == "malformed");
    }
  }
  SigningRepository server;
  server.Publish(
      {{"root", Content([&](Json& content) { content["roles"]["targets"].erase("threshold"); })}});
  BOOST_TEST(!RunRefresh(server.Start(), server));
}

// Cure53 TUF-01-001.
BOOST_FIXTURE_TEST_CASE(UnsignedMember_ChangesNothing, Honest) {
  SigningRepository other = server;
  Damage added;
  added.envelope = [](Json& envelope) { envelope["abc"] = {{"targets", {{"base", "evil"}}}}; };
  other.Publish({{"timestamp", added}, {"targets", added}});
  const auto failed = node.RefreshFrom(other);
  BOOST_REQUIRE_MESSAGE(!failed, DetailOf(failed));
  CheckGood();
}

// Cure53 TUF-01-004, tough CVE-2021-41149: names as paths.
BOOST_FIXTURE_TEST_CASE(RoleNamesThatArePaths, Honest) {
  for (const char* name : {"targets/../../../etc/cron.d/x", "targets/.", "targets/a\\b",
                           "/etc/passwd", "targets/%2e%2e"}) {
    SigningRepository attacker = ByHolderOf({{"targets", Content([&](Json& content) {
                                                content["delegations"]["roles"][0]["name"] = name;
                                              })}});
    CheckRefusedForEver(attacker, Reason::kMalformed, "targets");
  }
}

// CVE-2020-6174, CVE-2020-15093, CVE-2026-6966, GHSA-77hh-43cm-v8j6.
BOOST_AUTO_TEST_CASE(OneSignerManyTimes_MeetsNoThreshold) {
  Damage thrice;
  thrice.envelope = [](Json& envelope) {
    const Json signature = envelope["signatures"][0];
    envelope["signatures"] = {signature, signature, signature};
  };
  const std::string gun = "docker.io/acme/web";
  for (const std::string role : {"root", "timestamp", "snapshot", "targets", "targets/releases"}) {
    SigningRepository server{gun};
    server.Delegate(kReleases, {SigningKey::Ecdsa(), SigningKey::Ecdsa()}, 2);
    server.Touch(kReleases);
    server.Publish();
    if (role == "root") {
      server.SetKeys(role, {server.keys("root")[0], RootKeyFor(gun)}, 2);
    } else {
      server.SetKeys(role, {SigningKey::Ecdsa(), SigningKey::Ecdsa()}, 2);
    }
    server.Publish();
    BOOST_REQUIRE(RunRefresh(server.Start(), server).has_value());
    server.Publish({{role, thrice}});
    const auto outcome = RunRefresh(server.Start(), server);
    BOOST_REQUIRE(!outcome);
    BOOST_TEST(CodeOf(outcome.error().error.reason) == "threshold", DetailOf(outcome));
    BOOST_TEST(outcome.error().at == role);
  }
}

// CVE-2020-15163: a root that did not verify must not be there the next time, nor keep a good one
// away.
BOOST_FIXTURE_TEST_CASE(BadNextRoot_LeavesThePresentOneInPlace, Honest) {
  const SigningKey stranger = RootKeyFor(server.gun());
  for (const auto& signers :
       {std::vector{stranger}, server.keys("root"), std::vector<SigningKey>{}}) {
    SigningRepository attacker = server;
    attacker.SetKeys("root", {stranger});
    attacker.SetSigners("root", signers);
    attacker.Publish();
    CheckRefusedForEver(attacker, Reason::kSignature, "root");
  }
  server.SetKeys("root", {RootKeyFor(server.gun())});
  server.Publish();
  BOOST_TEST(!node.RefreshFrom(server));
  BOOST_TEST(node.trusted()->root().version() == 2);
}

// CVE-2025-2885.
BOOST_FIXTURE_TEST_CASE(RootVersionThatIsNotTheNext, Honest) {
  SigningRepository attacker = server;
  attacker.SetKeys("root", {RootKeyFor(server.gun())});
  attacker.SetNextVersion("root", 5);
  attacker.Publish();
  for (int version = 2; version < 5; ++version) {
    attacker.Serve(std::to_string(version) + ".root.json", attacker.bytes("root"));
  }
  CheckRefusedForEver(attacker, Reason::kUntrustedRoot, "root");
}

// Somebody on the wire, without a key, spoils the layout of a root that the publisher has signed,
// and everything else. The root acts at once; it must not keep the file away that the snapshot
// lists.
BOOST_FIXTURE_TEST_CASE(NewerRootInAnotherLayout_LocksNobodyOut, Honest) {
  server.SetKeys("root", {RootKeyFor(server.gun())});
  server.Publish();
  SigningRepository attacker = server;
  attacker.Serve("root.json", server.bytes("root") + " ");
  Damage forged;
  forged.signers = {SigningKey::Ecdsa()};
  attacker.Serve("timestamp.json", attacker.Damaged("timestamp", forged));
  for (const bool restarted : {false, true}) {
    BOOST_REQUIRE(node.RefreshFrom(attacker));
    BOOST_TEST(node.trusted()->root().version() == 2);
    if (restarted) BOOST_REQUIRE(!node.Restart());
    CheckGood();
  }
  const auto failed = node.RefreshFrom(server);
  BOOST_TEST(!failed, DetailOf(failed));
  BOOST_TEST(!node.Restart());
  CheckGood();
}

// The same with a timestamp: its hash is listed nowhere.
BOOST_FIXTURE_TEST_CASE(TimestampInAnotherLayout_LocksNobodyOut, Honest) {
  server.Sign("targets", "base", kGood);
  server.Touch("targets");
  server.Publish();
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", server.bytes("timestamp") + " ");
  BOOST_REQUIRE(!node.RefreshFrom(attacker));
  CheckGood();
  const auto failed = node.RefreshFrom(server);
  BOOST_TEST(!failed, DetailOf(failed));
  CheckGood();
}

// A root that says it is very far away makes the node ask for nothing.
BOOST_FIXTURE_TEST_CASE(RootVersionFarAway_CostsNoRequests, Honest) {
  SigningRepository attacker = server;
  attacker.SetNextVersion("root", 1000000);
  attacker.Publish();
  attacker.ForgetRequests();
  BOOST_REQUIRE(node.RefreshFrom(attacker));
  BOOST_TEST(attacker.requests().size() <= 3u);
}

// CVE-2022-29173: floors outlive a restart, and losing the metadata alone.
BOOST_FIXTURE_TEST_CASE(FloorsOutliveTheMetadata, Honest) {
  node.store().files().clear();
  BOOST_TEST(node.Restart().has_value());
  BOOST_TEST(node.trusted() == nullptr);
  const auto failed = node.RefreshFrom(old);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "rollback");
  BOOST_TEST(node.trusted() == nullptr);
  BOOST_TEST(!node.RefreshFrom(server));
  CheckGood();
}

// What is stored is no more believed than what is served.
BOOST_FIXTURE_TEST_CASE(StoreReplacedByAnOlderOne, Honest) {
  const auto older = RunRefresh(old.Start(), old);
  BOOST_REQUIRE(older);
  node.store().Apply(older->files);
  const auto failed = node.Restart();
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "rollback");
  BOOST_TEST(!node.RefreshFrom(server));
  CheckGood();
}

// Mix and match: parts of editions that never were together.
BOOST_FIXTURE_TEST_CASE(MixOfEditions, Honest) {
  for (const std::string role : {"snapshot", "targets", "targets/releases"}) {
    SigningRepository attacker = server;
    attacker.Touch(role);
    attacker.Publish();
    attacker.Serve(attacker.FileName(role), old.bytes(role));
    CheckRefusedForEver(attacker, Reason::kHash, role);
  }
}

BOOST_FIXTURE_TEST_CASE(StaleRootBesideANewSnapshot, Honest) {
  // The publisher took a key away; whoever holds the server withholds that root.
  SigningRepository attacker = server;
  server.SetKeys("targets", {SigningKey::Ecdsa()});
  server.Publish();
  attacker.Publish({{"snapshot", Content([&](Json& content) {
                       content["meta"]["root"] = EntryOf(server.bytes("root"));
                     })}});
  CheckRefusedForEver(attacker, Reason::kNoTrustData, "root");
}

BOOST_FIXTURE_TEST_CASE(SnapshotListsAnOlderRoot, Honest) {
  SigningRepository stale = server;
  server.SetKeys("root", {RootKeyFor(server.gun())});
  server.Publish();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  SigningRepository attacker = server;
  attacker.Publish({{"snapshot", Content([&](Json& content) {
                       content["meta"]["root"] = EntryOf(stale.bytes("root"));
                     })}});
  CheckRefusedForEver(attacker, Reason::kRollback, "root");
}

// A file of one role where another is expected, under a key that both share.
BOOST_AUTO_TEST_CASE(RoleConfusion_WithASharedKey) {
  SigningRepository server;
  const SigningKey shared = SigningKey::Ecdsa();
  for (const char* role : {"targets", "snapshot", "timestamp"}) server.SetKeys(role, {shared});
  server.Delegate(kReleases, {shared});
  server.Sign(kReleases, "1.0", kGood);
  server.Publish();
  TrustingNode node(server.Start());
  BOOST_REQUIRE(!node.RefreshFrom(server));
  SigningRepository attacker = server;
  attacker.Serve("timestamp.json", server.bytes("snapshot"));
  auto failed = node.RefreshFrom(attacker);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "malformed", failed->error.detail);
  attacker = server;
  attacker.Publish({{"timestamp", Content([&](Json& content) {
                       content["meta"]["snapshot"] = EntryOf(server.bytes("targets"));
                     })}});
  attacker.Serve("snapshot." + ToHex(Sha256Of(server.bytes("targets"))) + ".json",
                 server.bytes("targets"));
  failed = node.RefreshFrom(attacker);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "malformed", failed->error.detail);
}

BOOST_AUTO_TEST_CASE(FileOfAnotherRole_UnderItsOwnKey) {
  SigningRepository server;
  server.Delegate(kReleases, {SigningKey::Ecdsa()});
  server.Sign(kReleases, "1.0", kGood);
  server.Publish();
  // Signed by the delegation, served and listed as targets.
  server.Publish({{"snapshot", Content([&](Json& content) {
                     content["meta"]["targets"] = EntryOf(server.bytes(kReleases));
                   })}});
  server.Serve("targets." + ToHex(Sha256Of(server.bytes(kReleases))) + ".json",
               server.bytes(kReleases));
  const auto outcome = RunRefresh(server.Start(), server);
  BOOST_REQUIRE(!outcome);
  BOOST_TEST(CodeOf(outcome.error().error.reason) == "signature");
}

// go-tuf 4eb06c8: a role that is not listed.
BOOST_FIXTURE_TEST_CASE(SnapshotWithoutRootOrTargets, Honest) {
  for (const char* role : {"root", "targets"}) {
    SigningRepository attacker =
        ByHolderOf({{"snapshot", Content([&](Json& content) { content["meta"].erase(role); })}});
    CheckRefusedForEver(attacker, Reason::kMalformed, "snapshot");
  }
  SigningRepository attacker = ByHolderOf(
      {{"timestamp", Content([&](Json& content) { content["meta"].erase("snapshot"); })}});
  CheckRefusedForEver(attacker, Reason::kMalformed, "timestamp");
}

// Delegations that lead back to where they came from.
BOOST_FIXTURE_TEST_CASE(DelegationCycle, Honest) {
  for (const char* name : {"targets", "targets/releases", "targets/releases/targets/releases"}) {
    SigningRepository attacker = server;
    attacker.Publish(
        {{kReleases, Content([&](Json& content) {
            content["delegations"]["roles"].push_back(
                {{"name", name}, {"keyids", Json::array()}, {"threshold", 1}, {"paths", {""}}});
          })}});
    CheckRefusedForEver(attacker, Reason::kMalformed, kReleases);
  }
}

// CVE-2026-6967: expiry, hash and length hold for delegations too.
BOOST_FIXTURE_TEST_CASE(ExpiredDelegation, Honest) {
  SigningRepository attacker = server;
  attacker.SetExpiry(kReleases, kNow - hours{1});
  attacker.Publish();
  CheckRefusedForEver(attacker, Reason::kExpired, kReleases);
}

BOOST_FIXTURE_TEST_CASE(DelegationLongerThanListed, Honest) {
  SigningRepository attacker = server;
  attacker.Touch(kReleases);
  attacker.Publish();
  attacker.Serve(attacker.FileName(kReleases), attacker.bytes(kReleases) + " ");
  CheckRefusedForEver(attacker, Reason::kHash, kReleases);
}

// A publisher takes back a delegation; the server keeps its entry and file.
BOOST_FIXTURE_TEST_CASE(RevokedDelegation_DoesNotLiveOnInTheSnapshot, Honest) {
  server.Undelegate(kReleases, SigningRepository::Entry::kLeftBehind);
  server.Publish();
  BOOST_REQUIRE(!node.RefreshFrom(server));
  BOOST_TEST(!node.Lookup(kReleases, "1.0"));
}

// Whatever is fed to a refresh, what was trusted before stays as it was.
BOOST_FIXTURE_TEST_CASE(EveryTruncation_ChangesNothing, Honest) {
  const auto before = node.trusted();
  const Floors floors = node.floors();
  SigningRepository newer = server;
  newer.Sign(kReleases, "1.0", kEvil);
  newer.Sign("targets", "base", kEvil);
  newer.Publish();
  for (const std::string role : {"timestamp", "snapshot", "targets", "targets/releases"}) {
    const std::string bytes = newer.bytes(role);
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
      newer.Serve(newer.FileName(role), bytes.substr(0, size));
      const auto failed = node.RefreshFrom(newer);
      BOOST_REQUIRE(failed);
      BOOST_REQUIRE(node.trusted() == before);
    }
    newer.Recover();
  }
  BOOST_TEST((node.floors() == floors));
  CheckGood();
}

BOOST_FIXTURE_TEST_CASE(EveryFlippedByte_ChangesNothing, Honest) {
  const auto before = node.trusted();
  SigningRepository newer = server;
  newer.Sign(kReleases, "1.0", kEvil);
  newer.Publish();
  const std::string bytes = newer.bytes("timestamp");
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x01);
    newer.Serve("timestamp.json", flipped);
    TrustingNode copy = node;
    if (!copy.RefreshFrom(newer)) {
      // Nothing but the case of the method's name may be spelled otherwise; one bit is no case.
      ++accepted;
    } else {
      BOOST_REQUIRE(copy.trusted() == before);
    }
  }
  BOOST_TEST(accepted == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
