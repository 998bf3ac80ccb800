// SPDX-License-Identifier: Apache-2.0

// What the vectors (sigstore_vectors) do not reach: every text of a good signature changed, one at
// a time; the caps; the order in which signatures are met.

#include "trust/sigstore/image_signature.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "trust/base/bytes.h"

namespace crivet::trust::sigstore {
namespace {

using Json = nlohmann::json;

const std::string kFolder = std::string(CRIVET_TEST_DATA) + "/sigstore/";

std::string Read(const std::string& name) {
  std::ifstream in(kFolder + name, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(in, "cannot read " << name);
  return {std::istreambuf_iterator<char>(in), {}};
}

WantedImage Image() {
  const auto digest = Sha256Digest::Parse(
      "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4");
  return {.digest = *digest, .repository = "127.0.0.1:5055/acme/web", .tag = "1.0"};
}

ImageDemand ByKey(const std::string& key, std::size_t logs = 0) {
  ImageDemand demand;
  demand.signer.who = KeyDemand{{*VerificationKey::FromPem(Read("trust/" + key))}};
  demand.signer.root = *TrustedRoot::Parse(Read("trust/trusted_root.json"));
  demand.signer.logs = logs;
  return demand;
}

ImageDemand ByIdentity(std::size_t signed_times = 0) {
  ImageDemand demand;
  demand.signer.root = *TrustedRoot::Parse(Read("trust/trusted_root.json"));
  demand.signer.logs = 1;
  KeylessDemand keyless;
  keyless.identities.push_back(
      {TextPattern::Literally("https://token.actions.example"),
       TextPattern::Literally(
           "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/main")});
  keyless.signed_times = signed_times;
  demand.signer.who = keyless;
  return demand;
}

SignatureResult<ImageSignature> Verify(const std::string& json, const ImageDemand& demand) {
  const auto bundle = Bundle::Parse(json);
  if (!bundle) return tl::unexpected(bundle.error());
  return VerifyBundle(*bundle, Image(), demand);
}

// Calls `change` with every text and number of `value` and the path to it.
void Walk(Json& value, const std::string& path,
          const std::function<void(Json&, const std::string&)>& change) {
  if (value.is_object()) {
    for (auto& [name, member] : value.items()) Walk(member, path + "/" + name, change);
  } else if (value.is_array()) {
    for (auto& element : value) Walk(element, path + "/0", change);
  } else {
    change(value, path);
  }
}

// Another text of the same kind: base64 stays base64, of other bytes.
void Change(Json& leaf) {
  auto text = leaf.get<std::string>();
  auto& character = text[text.size() / 3];
  character = character == 'A' ? 'B' : 'A';
  leaf = text;
}

struct GoodBundle {
  const char* name;
  bool keyless;
  std::size_t signed_times;
  std::set<std::string> unsigned_paths;  // what nobody signs
};
std::ostream& operator<<(std::ostream& out, const GoodBundle& row) { return out << row.name; }

const GoodBundle kGoodBundles[] = {
    {"key-p256-good", false, 0, {"/verificationMaterial/publicKey/hint"}},
    {"keyless-good", true, 0, {}},
    {"keyless-good-tsa", true, 1, {}},
    {"keyless-v2-good", true, 1, {"/verificationMaterial/tlogEntries/0/logIndex"}},
    {"keyless-two-times", true, 1, {}},
};

BOOST_AUTO_TEST_SUITE(ImageSignatureTest)

BOOST_DATA_TEST_CASE(AnyTextOfAGoodBundle_Changed_RefusesIt, kGoodBundles, row) {
  const std::string good = Read(std::string("bundles/") + row.name + ".json");
  const ImageDemand demand = row.keyless ? ByIdentity(row.signed_times) : ByKey("key-p256.pub");
  BOOST_REQUIRE(Verify(good, demand));
  std::size_t tried = 0;
  std::vector<std::string> paths;
  Json tree = Json::parse(good);
  Walk(tree, "", [&](Json&, const std::string& path) { paths.push_back(path); });
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Json changed = Json::parse(good);
    std::size_t at = 0;
    Walk(changed, "", [&](Json& leaf, const std::string&) {
      if (at++ == i) Change(leaf);
    });
    if (row.unsigned_paths.count(paths[i]) != 0) continue;
    BOOST_CHECK_MESSAGE(!Verify(changed.dump(), demand), paths[i] << " changed is accepted");
    ++tried;
  }
  BOOST_CHECK_GE(tried, row.keyless ? 12U : 3U);
}

BOOST_AUTO_TEST_CASE(Bundle_CutOffAnywhere_IsMalformed) {
  const std::string good = Read("bundles/keyless-good.json");
  for (std::size_t size = 0; size < good.find_last_of('}'); size += 97) {
    const auto bundle = Bundle::Parse(good.substr(0, size));
    BOOST_REQUIRE(!bundle);
    BOOST_CHECK(bundle.error().reason == SignatureReason::kMalformed);
  }
}

BOOST_AUTO_TEST_CASE(Bundle_OfAVersionThatIsNotKnown_IsMalformed) {
  Json tree = Json::parse(Read("bundles/keyless-good.json"));
  const std::string older = "application/vnd.dev.sigstore.bundle+json;version=";
  const std::string newer = "application/vnd.dev.sigstore.bundle.v";
  for (const std::string& type :
       {older + "0.3", newer + "0.3+json", older + "0.4", older + "99.9", older + "0.30", older,
        newer + "0.4+json", newer + "1+json", newer + "0.3", std::string()}) {
    tree["mediaType"] = type;
    const bool known = type == older + "0.3" || type == newer + "0.3+json";
    BOOST_CHECK_MESSAGE(Bundle::Parse(tree.dump()).has_value() == known, type);
  }
}

// Of every text that is base64: a character that is none makes the bundle none.
BOOST_AUTO_TEST_CASE(Bundle_WithBase64ThatIsNone_IsMalformed) {
  const Json good = Json::parse(Read("bundles/keyless-good-tsa.json"));
  const std::set<std::string> texts = {"rawBytes", "keyId",          "signedEntryTimestamp",
                                       "rootHash", "payload",        "canonicalizedBody",
                                       "sig",      "signedTimestamp"};
  std::vector<std::string> paths;
  Json tree = good;
  Walk(tree, "", [&](Json&, const std::string& path) { paths.push_back(path); });
  std::set<std::string> tried;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string name = paths[i].substr(paths[i].rfind('/') + 1);
    if (texts.count(name) == 0 && paths[i].find("/hashes/") == std::string::npos) continue;
    tried.insert(name);
    for (const char* in : {"!", " ", "\n", "="}) {
      Json changed = good;
      std::size_t at = 0;
      Walk(changed, "", [&](Json& leaf, const std::string&) {
        if (at++ == i) leaf = leaf.get<std::string>().insert(1, in);
      });
      const auto bundle = Bundle::Parse(changed.dump());
      BOOST_REQUIRE_MESSAGE(!bundle, paths[i] << " with " << in);
      BOOST_CHECK(bundle.error().reason == SignatureReason::kMalformed);
    }
  }
  BOOST_CHECK_EQUAL(tried.size(), texts.size() + 1);  // and the hashes of the proof
}

BOOST_AUTO_TEST_CASE(Bundle_LogEntriesAndTimestamps_AreCapped) {
  Json tree = Json::parse(Read("bundles/keyless-two-times.json"));
  auto& material = tree.at("verificationMaterial");
  const auto fill = [](Json& list, std::size_t size) {
    while (list.size() < size) list.push_back(list.front());
  };
  auto& entries = material.at("tlogEntries");
  fill(entries, Bundle::kMaxLogEntries);
  BOOST_CHECK(Bundle::Parse(tree.dump()));
  fill(entries, Bundle::kMaxLogEntries + 1);
  BOOST_CHECK(!Bundle::Parse(tree.dump()));
  entries.erase(entries.begin() + 1, entries.end());
  auto& timestamps = material.at("timestampVerificationData").at("rfc3161Timestamps");
  fill(timestamps, Bundle::kMaxTimestamps);
  BOOST_CHECK(Bundle::Parse(tree.dump()));
  fill(timestamps, Bundle::kMaxTimestamps + 1);
  BOOST_CHECK(!Bundle::Parse(tree.dump()));
}

BOOST_AUTO_TEST_CASE(AnnotationThatTheRuleWants_IsComparedWithTheSigners) {
  const std::string signed_with_tag = Read("bundles/key-tag-annotation.json");
  ImageDemand demand = ByKey("key-p256.pub");
  demand.annotations.wanted = {{"tag", "1.0"}};
  BOOST_CHECK(Verify(signed_with_tag, demand));
  demand.annotations.wanted = {{"tag", "2.0"}};
  const auto other = Verify(signed_with_tag, demand);
  BOOST_REQUIRE(!other);
  BOOST_CHECK(other.error().reason == SignatureReason::kIdentity);
  BOOST_TEST(other.error().detail == "the signer's annotation \"tag\" is \"1.0\", not \"2.0\"");
  demand.annotations.wanted = {{"tag", "1.0"}, {"build", "7"}};
  BOOST_CHECK(!Verify(signed_with_tag, demand));
}

// Another image by the same key, under a tag that it was not signed for.
BOOST_AUTO_TEST_CASE(AnnotationThatIsTheTag_IsTheOneThatWasAskedFor) {
  const auto bundle = Bundle::Parse(Read("bundles/key-tag-annotation.json"));
  const auto unannotated = Bundle::Parse(Read("bundles/key-p256-good.json"));
  ImageDemand demand = ByKey("key-p256.pub");
  demand.annotations.wanted = {{"tag", std::nullopt}};
  WantedImage image = Image();
  BOOST_CHECK(VerifyBundle(*bundle, image, demand));
  image.tag = "2.0";
  BOOST_CHECK(!VerifyBundle(*bundle, image, demand));
  image.tag = std::nullopt;
  BOOST_CHECK(VerifyBundle(*bundle, image, demand));
  BOOST_CHECK(!VerifyBundle(*unannotated, image, demand));
}

BOOST_AUTO_TEST_CASE(KeyWithALog_WithoutAnEntry_IsRefused) {
  const auto refused = Verify(Read("bundles/key-p256-good.json"), ByKey("key-p256.pub", 1));
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().reason == SignatureReason::kTransparencyLog);
  BOOST_CHECK(Verify(Read("bundles/key-log-good.json"), ByKey("key-p256.pub", 1)));
  BOOST_CHECK(!Verify(Read("bundles/key-log-good.json"), ByKey("key-p256.pub", 2)));
}

BOOST_AUTO_TEST_CASE(AnyKeyOfTheRule_Suffices) {
  ImageDemand demand = ByKey("key-other.pub");
  std::get<KeyDemand>(demand.signer.who)
      .keys.push_back(*VerificationKey::FromPem(Read("trust/key-p256.pub")));
  BOOST_CHECK(Verify(Read("bundles/key-p256-good.json"), demand));
}

BOOST_AUTO_TEST_CASE(KeylessWithoutATimeDemand_StillWantsATime) {
  ImageDemand demand = ByIdentity();
  std::get<KeylessDemand>(demand.signer.who).times = 0;
  const auto refused = Verify(Read("bundles/keyless-v2-no-tsa.json"), demand);
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().reason == SignatureReason::kTimestamp);
}

// Whoever signs can ask one authority for as many timestamps as they like.
BOOST_AUTO_TEST_CASE(ATimestampThatStandsThereTwice_IsOneAuthoritys) {
  Json bundle = Json::parse(Read("bundles/keyless-good-tsa.json"));
  Json& timestamps =
      bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
  timestamps.push_back(timestamps.front());
  BOOST_CHECK(Verify(bundle.dump(), ByIdentity(1)));
  const auto refused = Verify(bundle.dump(), ByIdentity(2));
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().reason == SignatureReason::kTimestamp);
  ImageDemand two = ByIdentity(1);
  std::get<KeylessDemand>(two.signer.who).times = 2;
  BOOST_CHECK(Verify(bundle.dump(), two));  // the log's promise is the other one
  std::get<KeylessDemand>(two.signer.who).times = 3;
  BOOST_CHECK(!Verify(bundle.dump(), two));
}

BOOST_AUTO_TEST_CASE(Choose_TakesTheGoodOne_WhereverItStands) {
  const ImageDemand demand = ByKey("key-p256.pub");
  const auto good = Verify(Read("bundles/key-p256-good.json"), demand);
  const auto bad = Verify(Read("bundles/key-sig-flipped.json"), demand);
  BOOST_REQUIRE(good && !bad);
  BOOST_CHECK(Choose({good, bad, bad}));
  BOOST_CHECK(Choose({bad, bad, good}));
}

BOOST_AUTO_TEST_CASE(Choose_WithoutAGoodOne_TellsTheOneThatGotFurthest_InAnyOrder) {
  const ImageDemand demand = ByKey("key-p256.pub");
  const auto attestation = Verify(Read("bundles/key-predicate-attestation.json"), demand);
  const auto flipped = Verify(Read("bundles/key-sig-flipped.json"), demand);
  const auto junk = Verify(Read("bundles/key-media-type-junk.json"), demand);
  for (const auto& order :
       {std::vector{attestation, flipped, junk}, std::vector{junk, flipped, attestation},
        std::vector{flipped, attestation, junk}}) {
    const auto chosen = Choose(order);
    BOOST_REQUIRE(!chosen);
    BOOST_CHECK(chosen.error().reason == SignatureReason::kNotAnImageSignature);
  }
  const auto none = Choose({});
  BOOST_REQUIRE(!none);
  BOOST_CHECK(none.error().reason == SignatureReason::kUnsigned);
}

BOOST_AUTO_TEST_CASE(Legacy_PayloadThatIsNotTheLayers_IsRefused) {
  const auto manifest = oci::Manifest::Parse(Read("legacy/ss-key-good/manifest.json"));
  BOOST_REQUIRE(manifest);
  const auto layers = LegacyLayers(*manifest);
  BOOST_REQUIRE_EQUAL(layers.size(), 1U);
  const auto refused = VerifyLegacy(layers.front(), "{}", Image(), ByKey("key-p256.pub"));
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().reason == SignatureReason::kHash);
}

BOOST_AUTO_TEST_CASE(BundleLayers_OfAReferrerOfAnotherImage_AreNone) {
  const auto manifest = oci::Manifest::Parse(
      R"({"config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[{"mediaType":)"
      R"("application/vnd.dev.sigstore.bundle.v0.3+json","size":1,"digest":"sha256:)" +
      std::string(64, 'a') + R"("}],"subject":{"mediaType":"x","size":1,"digest":"sha256:)" +
      std::string(64, 'b') + R"("}})");
  BOOST_REQUIRE(manifest);
  BOOST_CHECK(BundleLayers(*manifest, Image().digest).empty());
  WantedImage subject = Image();
  subject.digest = *Sha256Digest::Parse("sha256:" + std::string(64, 'b'));
  BOOST_CHECK_EQUAL(BundleLayers(*manifest, subject.digest).size(), 1U);
}

BOOST_AUTO_TEST_CASE(TrustedRoot_WithUnknownMembersAndKeys_KeepsTheRest) {
  Json tree = Json::parse(Read("trust/trusted_root.json"));
  tree["somethingNew"] = {{"a", 1}};
  tree["tlogs"][0]["operator"] = "sigstore.dev";
  Json strange = tree["tlogs"][0];
  strange["publicKey"]["rawBytes"] = ToBase64(AsBytes("a key of another century"));
  tree["tlogs"].push_back(strange);
  const auto root = TrustedRoot::Parse(tree.dump());
  BOOST_REQUIRE(root);
  BOOST_CHECK_EQUAL(root->logs.size(), 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
