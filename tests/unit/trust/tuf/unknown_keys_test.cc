// SPDX-License-Identifier: Apache-2.0

// Keys that crivet cannot use, beside those that it can: they count for nothing and spoil nothing.
// A publisher who adds tomorrow's key must not keep every node at the root before.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>

#include "tests/support/trust/deciding_node.h"
#include "tests/support/trust/future_key.h"
#include "tests/support/trust/trusting_node.h"
#include "trust/tuf/age.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;
namespace data = boost::unit_test::data;

const char kReleases[] = "targets/releases";
const char* const kRoles[] = {"root", "targets", "snapshot", "timestamp", kReleases};

SigningKey OddCertificate(const SigningKey& key) {
  CertificateRequest request;
  request.common_names = {"docker.io/acme/web"};
  return key.SelfSigned(request);
}

// `key` in its object is what `change` makes of it.
struct OddKey {
  const char* name;
  std::function<SigningKey()> make;
  std::function<void(Json&)> change = [](Json&) {};
};
std::ostream& operator<<(std::ostream& out, const OddKey& key) { return out << key.name; }

const std::vector<OddKey>& OddKeys() {
  static const std::vector<OddKey> keys = {
      {"ML-DSA-65 in PEM", [] { return MlDsa65Key(); }},
      {"ML-DSA-65 under x509", [] { return MlDsa65Key().CalledType("ml-dsa-65-x509"); }},
      {"ML-DSA-65 as text and not base64", [] { return MlDsa65Key(); },
       [](Json& key) {
         key["keyval"] = {{"public", "-----BEGIN PUBLIC KEY-----"}};
       }},
      {"an unknown type without keyval", [] { return MlDsa65Key(); },
       [](Json& key) { key.erase("keyval"); }},
      {"another curve", [] { return SigningKey::Ecdsa("secp256k1"); }},
      {"another curve in a certificate",
       [] { return OddCertificate(SigningKey::Ecdsa("secp256k1")); }},
      {"another algorithm than its type says",
       [] { return SigningKey::Ed25519().CalledType("rsa"); }},
      {"a short RSA key", [] { return SigningKey::Rsa(1024); }},
      {"ML-DSA-65 called ecdsa-x509", [] { return MlDsa65Key().CalledType("ecdsa-x509"); }},
      {"an Ed25519 key of 31 bytes", [] { return SigningKey::Ed25519(); },
       [](Json& key) { key["keyval"]["public"] = ToBase64(AsBytes(std::string(31, 'k'))); }},
      {"a private half", [] { return SigningKey::Ecdsa(); },
       [](Json& key) { key["keyval"]["private"] = "AAAA"; }},
      {"no base64", [] { return SigningKey::Ecdsa(); },
       [](Json& key) { key["keyval"]["public"] = "!"; }},
  };
  return keys;
}

SigningKey GoodKeyFor(const std::string& role) {
  return role == "root" ? RootKeyFor("docker.io/acme/web") : SigningKey::Ecdsa();
}

struct Publisher {
  SigningRepository server;
  Publisher() {
    server.Delegate(kReleases, {SigningKey::Ecdsa()});
    server.Sign(kReleases, "1.0", DigestOf("old"));
    server.Publish();
  }

  // Gives a role the key beside its own ones; what `change` does to the key's object is signed.
  void List(const std::string& role, const OddKey& odd, std::vector<SigningKey> others,
            std::int64_t threshold) {
    const SigningKey key = odd.make();
    std::vector<SigningKey> all = others;
    all.push_back(key);
    server.SetKeys(role, all, threshold);
    const bool delegated = role == kReleases;
    Damage change;
    change.content = [&, id = key.id()](Json& content) {
      odd.change(delegated ? content["delegations"]["keys"][id] : content["keys"][id]);
    };
    server.Sign(kReleases, "1.0", DigestOf("new"));
    server.Publish({{delegated ? "targets" : "root", change}});
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(UnknownKeysTest)

BOOST_DATA_TEST_CASE(BesideAGoodKey_SpoilsNothing_ColdWarmAndAfterARestart,
                     data::make(kRoles) * data::make(OddKeys()), role, odd) {
  Publisher publisher;
  SigningRepository& server = publisher.server;
  TrustingNode warm(server.Start());
  BOOST_REQUIRE(!warm.RefreshFrom(server));
  publisher.List(role, odd, server.keys(role), 1);

  TrustingNode cold(warm.start());
  for (TrustingNode* node : {&cold, &warm}) {
    BOOST_TEST_CONTEXT(DetailOf(node->RefreshFrom(server)))
    BOOST_TEST((node->Lookup(kReleases, "1.0") == DigestOf("new")));
    BOOST_TEST_CONTEXT(DetailOf(node->Restart()))
    BOOST_TEST((node->Lookup(kReleases, "1.0") == DigestOf("new")));
  }
}

BOOST_DATA_TEST_CASE(NeverMakesAThresholdReachable, data::make(kRoles) * data::make(OddKeys()),
                     role, odd) {
  // Two have to sign, and of the two that may, one cannot be used.
  Publisher publisher;
  SigningRepository& server = publisher.server;
  TrustingNode node(server.Start());
  BOOST_REQUIRE(!node.RefreshFrom(server));
  publisher.List(role, odd, server.keys(role), 2);
  TrustingNode cold(node.start());
  for (TrustingNode* one : {&node, &cold}) {
    const auto failed = one->RefreshFrom(server);
    BOOST_REQUIRE(failed);
    BOOST_TEST(CodeOf(failed->error.reason) == "threshold");
    BOOST_TEST(failed->error.detail.find("crivet can use 1") != std::string::npos,
               failed->error.detail);
  }
}

BOOST_DATA_TEST_CASE(TwoGoodKeysOfThree_MeetAThresholdOfTwo, data::make(kRoles), role) {
  Publisher publisher;
  SigningRepository& server = publisher.server;
  TrustingNode node(server.Start());
  BOOST_REQUIRE(!node.RefreshFrom(server));
  const SigningKey second = GoodKeyFor(role);
  publisher.List(role, OddKeys().front(), {server.keys(role).front(), second}, 2);
  BOOST_TEST_CONTEXT(DetailOf(node.RefreshFrom(server)))
  BOOST_TEST((node.Lookup(kReleases, "1.0") == DigestOf("new")));

  // One of the two and the one that nobody can verify are not enough.
  const std::vector<SigningKey> keys = server.keys(role);
  server.SetSigners(role, {keys.front(), keys.back()});
  server.Publish();
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "threshold");
}

// The root that nobody could verify the timestamp of is a link like any other.
BOOST_DATA_TEST_CASE(Alone_InTheMiddleOfAChain_IsOnlyALink,
                     data::make({"targets", "snapshot", "timestamp"}), role) {
  Publisher publisher;
  SigningRepository& server = publisher.server;
  TrustingNode warm(server.Start());
  BOOST_REQUIRE(!warm.RefreshFrom(server));
  TrustingNode there(warm);
  TrustingNode cold(warm.start());

  const SigningKey good = GoodKeyFor(role);
  publisher.List(role, OddKeys().front(), {}, 1);
  const auto failed = there.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "threshold");

  server.SetKeys(role, {good});
  server.SetKeys("root", {RootKeyFor("docker.io/acme/web"), MlDsa65Key()});
  server.Publish();
  server.SetKeys("root", {server.keys("root").front()});
  server.Sign(kReleases, "1.0", DigestOf("newest"));
  server.Publish();
  for (TrustingNode* node : {&warm, &there, &cold}) {
    BOOST_TEST_CONTEXT(DetailOf(node->RefreshFrom(server)))
    BOOST_TEST((node->Lookup(kReleases, "1.0") == DigestOf("newest")));
    BOOST_TEST(node->trusted()->root().version() == 4);
    BOOST_TEST(!node->Restart());
  }
}

BOOST_AUTO_TEST_CASE(Floor_FallsOnlyWhereTheSignerIsNoLongerListed) {
  // An older crivet on a node that a newer one has used: the floor's signer is still listed.
  Publisher publisher;
  SigningRepository& server = publisher.server;
  const SigningKey future = MlDsa65Key();
  const SigningKey good = server.keys("targets").front();
  server.SetKeys("targets", {good, future});
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  start.floors["targets"] = {100, Sha256Of("v100"), {future.id()}};
  const auto refused = RunRefresh(start, server);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(CodeOf(refused.error().error.reason) == "rollback");

  server.SetKeys("targets", {good});
  server.Publish();
  BOOST_TEST(RunRefresh(start, server).has_value());
}

BOOST_AUTO_TEST_CASE(StillBinds_CountsListedKeysThatCannotBeUsed) {
  const SigningKey good = SigningKey::Ecdsa();
  const SigningKey future = MlDsa65Key();
  const KeyId good_id = KeyId::Parse(good.id()).value();
  const KeyId future_id = KeyId::Parse(future.id()).value();
  AuthorizedKeys keys{{{good_id, good.Parsed()}}, 2, {future.id()}};
  BOOST_TEST(keys.StillBinds({good_id, future_id}));
  BOOST_TEST(!keys.StillBinds({future_id}));  // one of two
  BOOST_TEST(!keys.Covers({good_id, future_id}));
  BOOST_TEST(keys.CountListed() == 2u);
  keys.unusable.clear();
  BOOST_TEST(!keys.StillBinds({good_id, future_id}));
}

BOOST_AUTO_TEST_CASE(Record_StandsWhileItsSignerIsListed) {
  DecidingNode node;
  const SigningKey good = node.server.keys(kReleases).front();
  const SigningKey future = MlDsa65Key();
  node.server.Delegate(kReleases, {good, future});
  node.server.Sign(kReleases, "2.1", DigestOf("image"));
  node.PublishAndRefresh();
  node.PullAndRemember("acme/web:2.1");
  BOOST_REQUIRE(node.records.size() == 1u);
  // As a crivet that knows such keys would have written it.
  node.records.front().vouching[kReleases] = {future.id()};
  node.server.Sign(kReleases, "2.1", DigestOf("moved"));
  node.PublishAndRefresh();
  BOOST_TEST(!Refused(node.Present("acme/web:2.1", DigestOf("image"))));

  node.server.Delegate(kReleases, {good});
  node.PublishAndRefresh();
  BOOST_TEST((Refused(node.Present("acme/web:2.1", DigestOf("image"))) == Reason::kDigestMismatch));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
