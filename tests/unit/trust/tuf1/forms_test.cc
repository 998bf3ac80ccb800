// SPDX-License-Identifier: Apache-2.0

// What publishers write and servers serve, rightly and wrongly, beside update_test.cc. Cases are
// named after the tests of the conformance suite that they stand for, or after the attack.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "tests/support/trust/tuf_refreshed.h"
#include "trust/decide/finding.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;
using namespace std::chrono_literals;

struct Forms : Refreshed {
  // The next root, with what somebody made of it.
  void ServeRoot(Json content) {
    content["version"] = ++server["root"].version;
    server.files[server.NameOf("root")] = TufPublisher::Signed(content, server["root"].keys);
  }
  std::string KeyIdOf(const std::string& role) {
    return TufPublisher::IdOf(server[role].keys.front());
  }
  // A delegated role that expires so, with one name a version.
  void PublishDelegated(TimePoint expires) {
    server["delegated"].expires = FormatRfc3339(expires);
    server.PublishEdition({"targets", "delegated"});
  }
};

BOOST_FIXTURE_TEST_SUITE(TufFormsTest, Forms)

// unsigned_metadata[root]
BOOST_AUTO_TEST_CASE(Root_SignedByAStranger_IsRefused) {
  server["root"].signers = {SigningKey::Ed25519()};
  server.Publish({"root"});
  server.PublishEdition();
  Refuses(Reason::kSignature, "root", {1, 1, 1, 1});
}

// url_and_metadata_version_mismatch[targets]
BOOST_AUTO_TEST_CASE(Targets_VersionIsAnotherThanListed_IsRollback) {
  server.PublishEdition();
  server["targets"].version = 3;
  server.files["2.targets.json"] =
      TufPublisher::Signed(server.Content("targets"), server["targets"].keys);
  Refuses(Reason::kRollback, "targets", {1, 2, 2, 1});
}

// targets_404
BOOST_AUTO_TEST_CASE(Targets_AreNotThere_EndsTheRefreshThere) {
  server.PublishEdition();
  server.files.erase("2.targets.json");
  Refuses(Reason::kNoTrustData, "targets", {1, 2, 2, 1});
  BOOST_TEST(server.asked.back() == "2.targets.json");
}

// custom_fields, deprecated_keyid_hash_algorithms
BOOST_AUTO_TEST_CASE(UnknownMembers_InKeysAndRoles_AreSignedAndIgnored) {
  Json content = server.Content("root");
  content["x-field"] = "value";
  for (const char* role : {"root", "timestamp"}) {
    content["roles"][role]["x-owner"] = {{"deep", {1, "two"}}};
    Json& key = content["keys"][KeyIdOf(role)];
    key["x-extra"] = {{"a", 1}, {"b", 2}};
    key["keyid_hash_algorithms"] = {"md5"};
  }
  ServeRoot(content);
  Accepts({2, 1, 1, 1});
}

// snapshot_has_too_few_keys
BOOST_AUTO_TEST_CASE(Threshold_BeyondTheKeys_IsNeverMetThoughAllSign) {
  for (int i = 0; i < 4; ++i) server["snapshot"].keys.push_back(SigningKey::Ed25519());
  server["snapshot"].threshold = 6;
  server.Publish({"root"});
  server.PublishEdition();
  Refuses(Reason::kThreshold, "snapshot", {2, 2, 0, 1});
}

// duplicate_keys
BOOST_AUTO_TEST_CASE(Snapshot_SignedByOneKeyUnderNineIds_IsSignedByTwo) {
  const SigningKey own = server["snapshot"].keys.front();
  const SigningKey other = SigningKey::Ed25519();
  Json content = server.Content("root");
  Json& role = content["roles"]["snapshot"];
  role["threshold"] = 6;
  server.PublishEdition();
  Json file = Json::parse(server.files.at("2.snapshot.json"));
  const std::string sig =
      Json::parse(TufPublisher::Signed(file["signed"], {other}))["signatures"][0]["sig"];
  for (int i = 0; i < 9; ++i) {
    const std::string id = "other " + std::to_string(i);
    content["keys"][id] = TufPublisher::KeyJson(other);
    role["keyids"].push_back(id);
    file["signatures"].push_back({{"keyid", id}, {"sig", sig}});
  }
  server.files["2.snapshot.json"] = file.dump();
  ServeRoot(content);
  Refuses(Reason::kThreshold, "snapshot", {2, 2, 0, 1});
  // Two are two.
  role["threshold"] = 2;
  ServeRoot(content);
  Accepts({3, 2, 2, 2});
}

BOOST_AUTO_TEST_CASE(Role_NamesOneKeyNineTimes_CountsItOnce) {
  Json content = server.Content("root");
  Json& role = content["roles"]["timestamp"];
  for (int i = 0; i < 8; ++i) role["keyids"].push_back(KeyIdOf("timestamp"));
  ServeRoot(content);
  Accepts({2, 1, 1, 1});
  role["threshold"] = 2;
  ServeRoot(content);
  Refuses(Reason::kThreshold, "timestamp", {3, 0, 1, 1});
}

BOOST_AUTO_TEST_CASE(Threshold_MissingOrNoNumber_IsMalformed) {
  for (const Json& threshold : {Json(), Json("1"), Json(true), Json(-1)}) {
    BOOST_TEST_CONTEXT(threshold) {
      Forms other;
      Json content = other.server.Content("root");
      Json& role = content["roles"]["timestamp"];
      role.erase("threshold");
      if (!threshold.is_null()) role["threshold"] = threshold;
      other.ServeRoot(content);
      other.Refuses(Reason::kMalformed, "root", {1, 1, 1, 1});
    }
  }
}

BOOST_AUTO_TEST_CASE(Role_HasNoKeysOrUnknownOnes_IsNeverMet) {
  const std::pair<Json, Reason> rows[] = {
      {Json::array(), Reason::kSignature},
      {Json::array({"nobody", "nobody else"}), Reason::kThreshold}};
  for (const auto& [ids, reason] : rows) {
    BOOST_TEST_CONTEXT(ids) {
      Forms other;
      Json content = other.server.Content("root");
      content["roles"]["timestamp"]["keyids"] = ids;
      other.ServeRoot(content);
      other.Refuses(reason, "timestamp", {2, 0, 1, 1});
    }
  }
}

BOOST_AUTO_TEST_CASE(Root_WithoutOneOfTheFourRolesOrWithAFifth_IsMalformed) {
  for (const char* role : {"root", "timestamp", "snapshot", "targets", "mirrors"}) {
    BOOST_TEST_CONTEXT(role) {
      Forms other;
      Json content = other.server.Content("root");
      const bool one_of_them = content["roles"].erase(role) == 1;
      if (!one_of_them) content["roles"][role] = content["roles"]["timestamp"];
      other.ServeRoot(content);
      other.Refuses(Reason::kMalformed, "root", {1, 1, 1, 1});
    }
  }
}

BOOST_AUTO_TEST_CASE(Header_WithoutASpecification_IsMalformed) {
  ++server["timestamp"].version;
  for (const char* member : {"spec_version", "version", "expires", "_type"}) {
    Json content = server.Content("timestamp");
    content.erase(member);
    server.files["timestamp.json"] = TufPublisher::Signed(content, server["timestamp"].keys);
    Refuses(Reason::kMalformed, "timestamp", {1, 1, 1, 1});
  }
}

// expired_local_root
BOOST_AUTO_TEST_CASE(FirstRoot_HasExpired_HindersNothing) {
  server["root"].version = 0;
  server["root"].expires = "2026-05-01T00:00:00Z";
  server.Publish({"root"});
  server["root"].expires = "2040-01-01T00:00:00Z";
  server.Publish({"root"});
  TufNode fresh(server);
  BOOST_TEST(!fresh.Refresh(server));
  BOOST_TEST(fresh.trusted.root().version() == 2);
}

// targets_fast_forward_recovery; a role may vanish with the key
BOOST_AUTO_TEST_CASE(FastForward_OfTargets_EndsWithTheSnapshotKey) {
  server.Delegate("targets", "web", {"web:*"});
  server["targets"].version = 99;
  server.PublishEdition({"targets", "web"});
  Accepts({1, 2, 2, 100});
  server["targets"].version = 0;
  server.unlisted.insert("web");
  server.PublishEdition();
  Refuses(Reason::kRollback, "snapshot", {1, 3, 2, 100});
  server["snapshot"].keys = {SigningKey::Ed25519()};
  server.Publish({"root"});
  server["targets"].version = 0;
  server.PublishEdition();
  Accepts({2, 4, 4, 1});
}

// new_snapshot_fast_forward_recovery: what a timestamp lists goes with the timestamp's key
BOOST_AUTO_TEST_CASE(FastForward_OfTheSnapshot_EndsWithBothKeys) {
  server["snapshot"].version = 99'998;
  server.PublishEdition();
  Accepts({1, 2, 99'999, 2});
  server["snapshot"].keys = {SigningKey::Ed25519()};
  server.Publish({"root"});
  server["snapshot"].version = 0;
  server.PublishEdition();
  Refuses(Reason::kRollback, "timestamp", {2, 2, 0, 2});
  server["timestamp"].keys = {SigningKey::Ed25519()};
  server.Publish({"root"});
  server["snapshot"].version = 0;
  server.PublishEdition();
  Accepts({3, 4, 1, 4});
}

// new_timestamp_fast_forward_recovery
BOOST_AUTO_TEST_CASE(FastForward_OfTheTimestamp_EndsWithItsKey) {
  server["timestamp"].version = 99;
  server.PublishEdition();
  Accepts({1, 100, 2, 2});
  server["timestamp"].keys = {SigningKey::Ed25519()};
  server.Publish({"root"});
  server["timestamp"].version = 0;
  server.Publish({"timestamp"});
  Accepts({2, 1, 2, 2});
}

// simple_snapshot_rollback: the listed one is here, and not asked for
BOOST_AUTO_TEST_CASE(Snapshot_OlderOneInPlaceOfTheListed_IsNotAskedFor) {
  const std::string older = server.files.at("1.snapshot.json");
  server.PublishEdition();
  Accepts({1, 2, 2, 2});
  server.files["2.snapshot.json"] = older;
  Accepts({1, 2, 2, 2});
  Asked({"2.root.json", "timestamp.json"});
}

// targets_rollback[with hashes]
BOOST_AUTO_TEST_CASE(Targets_OlderWithNewHashes_IsRollback) {
  server.lists_hashes = true;
  server.PublishEdition();
  server.PublishEdition();
  Accepts({1, 3, 3, 3});
  server["targets"].version = 0;
  server.PublishEdition();
  Refuses(Reason::kRollback, "snapshot", {1, 4, 3, 3});
}

// What was verified before binds also where its file is lost, and an older one is left.
BOOST_AUTO_TEST_CASE(Timestamp_OfTheVersionThatIsLeft_BelowTheNumberThatWasSeen_IsRollback) {
  tuf1::Update::Least seen{.timestamp = 2, .snapshot = 1};
  seen.signers = node.trusted.timestamp->signers;
  for (const std::int64_t snapshot : {1, 2}) {
    seen.timestamp = snapshot == 1 ? 2 : 1;
    seen.snapshot = snapshot;
    tuf1::Update update(
        {.trusted = node.trusted, .least = seen, .now = TufPublisher::kNow, .caps = node.caps});
    while (update.Wanted()) {
      update.Supply(server.Serve(update.Wanted()->file, update.Wanted()->max_bytes));
    }
    BOOST_REQUIRE(update.failure());
    BOOST_TEST((update.failure()->error.reason == Reason::kRollback));
    BOOST_TEST(update.failure()->at == "timestamp");
  }
}

// delegated_targets_expired
BOOST_AUTO_TEST_CASE(DelegatedRole_HasExpired_IsNotTaken) {
  server.Delegate("targets", "delegated", {"delegated/*"});
  server.Sign("delegated", "delegated/web", "x");
  PublishDelegated(TufPublisher::kNow - 24h);
  Accepts({1, 2, 2, 2});
  BOOST_TEST(node.Find(server, "delegated/web") == "expired");
  BOOST_TEST(!node.trusted.roles.contains("delegated"));
}

// expired_local_delegated_targets, expired_local_delegated_targets_updates
BOOST_AUTO_TEST_CASE(DelegatedRole_ExpiresHere_AnswersNoMoreUntilThereIsANewerOne) {
  server.Delegate("targets", "delegated", {"delegated/*"});
  server.Sign("delegated", "delegated/web", "x");
  PublishDelegated(TufPublisher::kNow + 7 * 24h);
  Accepts({1, 2, 2, 2});
  BOOST_TEST(node.Find(server, "delegated/web") == "delegated");
  node.searched_at += 18 * 24h;
  BOOST_TEST(node.Find(server, "delegated/web") == "expired");
  PublishDelegated(TufPublisher::kNow + 21 * 24h);
  BOOST_TEST(!node.Refresh(server, node.searched_at));
  BOOST_TEST(node.Find(server, "delegated/web") == "delegated");
}

BOOST_AUTO_TEST_CASE(Custom_OfManyLevels_SpoilsItsFile) {
  Json deep = 1;
  for (int i = 0; i < 100; ++i) deep = {{"d", deep}};
  server["targets"].targets["web"] = {
      {"length", 1}, {"hashes", {{"sha256", std::string(64, 'a')}}}, {"custom", deep}};
  server.PublishEdition();
  Refuses(Reason::kMalformed, "targets", {1, 2, 2, 1});
}

BOOST_AUTO_TEST_CASE(Role_WithANulInItsName_IsEncoded) {
  const std::string role("a\0b", 3);
  server.Delegate("targets", role, {"*"});
  server.Sign(role, "web", "x");
  server.PublishEdition({"targets", role});
  Accepts({1, 2, 2, 2});
  BOOST_TEST((node.Find(server, "web") == role));
  Asked({"1.a%00b.json"});
}

bool IsShortAndPrintable(const std::string& text) {
  return text.size() < 1000 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Whoever is delegated to names roles as he likes, and every refusal on the way says their names.
BOOST_AUTO_TEST_CASE(Role_OfAHostileName_IsNamedShortAndPrintable) {
  const std::string role = "evil\n\x1b[2J ALLOWED " + std::string(100'000, 'x');
  server.Delegate("targets", role, {"*"});
  server[role].expires = FormatRfc3339(TufPublisher::kNow + 24h);
  server.PublishEdition({"targets", role});
  Accepts({1, 2, 2, 2});
  const auto refused = [&](const std::string& code) {
    BOOST_TEST(node.Find(server, "web") == code);
    const auto* failed = std::get_if<tuf1::Search::Failed>(&node.search->outcome());
    BOOST_REQUIRE(failed);
    BOOST_TEST(IsShortAndPrintable(failed->error.detail), code);
    if (const auto& failure = node.search->failure()) {
      BOOST_TEST(IsShortAndPrintable(failure->at), code);
      BOOST_TEST(IsShortAndPrintable(failure->error.detail), code);
    }
  };
  const std::string file = server.NameOf(role);
  const std::string good = server.files.at(file);
  server.files.erase(file);
  refused("no-trust-data");
  server.files[file] = TufPublisher::Signed(server.Content(role), {SigningKey::Ed25519()});
  refused("signature");
  server.files[file] = good;
  node.searched_at += 48h;
  refused("expired");
  server.unlisted.insert(role);
  TufNode fresh(server);
  server.PublishEdition();
  BOOST_REQUIRE(!fresh.Refresh(server));
  node.trusted = fresh.trusted;
  refused("no-trust-data");
  // Whoever was asked is named where nobody lists the name.
  SignedPart part;
  part.name = role;
  part.version = part.threshold = 1;
  Evidence evidence;
  evidence.parts = {std::make_shared<const SignedPart>(part)};
  evidence.asked_begin = 0;
  evidence.asked_end = 1;
  BOOST_TEST(IsShortAndPrintable(RefusalOf(TagNotSigned(evidence))->found));
  BOOST_TEST(IsShortAndPrintable(RefusalOf(EntryUnusable(part, "1.0", "it is no object"))->found));
}

// keytype_and_scheme
BOOST_AUTO_TEST_CASE(Keys_OfEachKind_SignWhatTheyMay) {
  for (const SigningKey& key :
       {SigningKey::Ed25519(), SigningKey::Ecdsa("P-256"), SigningKey::Rsa()}) {
    BOOST_TEST_CONTEXT(key.key_type()) {
      Forms other;
      for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
        other.server[role].keys = {key};
      }
      other.server.Publish({"root"});
      other.server.PublishEdition();
      other.Accepts({2, 2, 2, 2});
      other.server.Publish({"root"});
      other.Accepts({3, 2, 2, 2});
    }
  }
}

// static_repository: as tuf-on-ci writes them. Whoever has not signed yet has an empty signature.
BOOST_AUTO_TEST_CASE(Repository_AsTufOnCiWritesIt_IsRead) {
  const SigningKey before = server["root"].keys.front();
  server["root"].keys = {SigningKey::Ecdsa(), SigningKey::Ecdsa()};
  for (const char* role : {"timestamp", "snapshot"}) server[role].keys = {SigningKey::Ecdsa()};
  server["root"].version = 2;
  Json content = server.Content("root");
  content["spec_version"] = "1.0.31";
  content["x-tuf-on-ci-expiry-period"] = 365;
  content["roles"]["timestamp"]["x-tuf-on-ci-signing-period"] = 4;
  for (auto& [id, key] : content["keys"].items()) key["x-tuf-on-ci-keyowner"] = "@" + id;
  const std::vector<SigningKey>& keys = server["root"].keys;
  Json root = Json::parse(TufPublisher::Signed(content, {before, keys.front()}));
  root["signatures"].push_back({{"keyid", TufPublisher::IdOf(keys.back())}, {"sig", ""}});
  server.files["2.root.json"] = root.dump(1);
  server.Delegate("targets", "delegatedrole", {"delegatedrole/*", "delegatedrole/*/*"}, true);
  server.Sign("delegatedrole", "delegatedrole/artifact", "x");
  server.PublishEdition({"targets", "delegatedrole"});
  Accepts({2, 2, 2, 2});
  BOOST_TEST(node.Find(server, "delegatedrole/artifact") == "delegatedrole");
}

// static_repository: as Sigstore's is.
BOOST_AUTO_TEST_CASE(Repository_AsSigstoreHasIt_IsRead) {
  const SigningKey online = SigningKey::Ecdsa();
  Json content = server.Content("root");
  content["spec_version"] = "1.0";
  // A key under an ID that is not its own, and one as the first roots had them.
  Json key = TufPublisher::KeyJson(online);
  key["keyid_hash_algorithms"] = {"sha256", "sha512"};
  key["x-tuf-on-ci-online-uri"] = "gcpkms:projects/1";
  const std::string misnamed(64, '5');
  content["keys"][misnamed] = key;
  content["keys"]["old"] = {{"keytype", "ecdsa-sha2-nistp256"},
                            {"scheme", "ecdsa-sha2-nistp256"},
                            {"keyval", {{"public", "04" + std::string(128, 'a')}}}};
  for (const char* role : {"timestamp", "snapshot"}) {
    content["roles"][role] = {{"keyids", {misnamed, "old"}}, {"threshold", 1}};
  }
  ServeRoot(content);
  server["targets"].targets["trusted_root.json"] = {
      {"length", 1},
      {"hashes", {{"sha256", std::string(64, 'a')}, {"sha512", std::string(128, 'b')}}},
      {"custom", {{"sigstore", {{"status", "Active"}, {"usage", "Unknown"}}}}}};
  server.Delegate("targets", "registry.npmjs.org", {"registry.npmjs.org/*"}, true);
  server.Publish({"targets", "registry.npmjs.org"});
  const auto sign = [&](const std::string& role, const auto& change) {
    ++server[role].version;
    Json signed_part = server.Content(role);
    change(signed_part["meta"]);
    Json file = Json::parse(TufPublisher::Signed(signed_part, {online}));
    file["signatures"][0]["keyid"] = misnamed;
    server.files[server.NameOf(role)] = file.dump(1);
  };
  sign("snapshot", [](Json& meta) {
    for (const char* dead : {"root.json", "rekor.json", "staging.json", "revocation.json"}) {
      meta[dead] = {{"version", 4}};
    }
  });
  sign("timestamp", [](Json&) {});
  Accepts({2, 2, 2, 2});
  BOOST_TEST(node.Find(server, "trusted_root.json") == "targets");
  BOOST_TEST(node.Find(server, "registry.npmjs.org/keys.json") == "none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
