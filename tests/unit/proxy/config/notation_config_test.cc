// SPDX-License-Identifier: Apache-2.0

// What a file says of notation's signatures, what it makes of them, and what is wrong with it.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "proxy/config/config.h"
#include "trust/notation/notation_demand.h"
#include "trust/notation/notation_dialect.h"
#include "trust/notation/parse_envelope.h"

namespace crivet::proxy {
namespace {

const std::string kData = std::string(CRIVET_TEST_DATA) + "/sigstore/";

std::string Files(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "\"" : ", \"") + kData + name + "\"";
  }
  return "[" + list + "]";
}

struct NotationFile {
  std::string section = "ca = " + Files({"trust/notation/ca-acme.pem"}) + "\n";
  std::string rule = "trust = \"notation\"\nidentities = [\"x509.subject: C=CH, ST=ZH, O=Acme\"]\n";

  tl::expected<Config, std::vector<ConfigError>> Parsed() const {
    return ParseConfig("[default]\naction = \"deny\"\n[trust.notation]\nkind = \"notation\"\n" +
                           section +
                           "[[rule]]\nimages = [\"r.example/**\"]\naction = \"verify\"\n" + rule,
                       "f");
  }
  std::string Errors() const {
    const auto config = Parsed();
    if (config) return {};
    std::string all;
    for (const ConfigError& error : config.error()) all += error.ToString() + "\n";
    return all;
  }
  void Says(const std::string& wanted) const {
    BOOST_TEST(Errors().find(wanted) != std::string::npos, wanted << " in " << Errors());
  }
  trust::SharedDemand Demand() const {
    const auto config = Parsed();
    BOOST_REQUIRE_MESSAGE(config, Errors());
    return config->policy->rules().front()->members.front().demand;
  }
  /// `good`, or the code of the reason.
  std::string Verifies(const std::string& envelope) const {
    std::ifstream in(kData + "notation/" + envelope, std::ios::binary);
    const trust::notation::LaidEnvelope laid{std::string(trust::notation::kJwsMediaType),
                                             {"application/vnd.oci.image.manifest.v1+json", 417},
                                             {std::istreambuf_iterator<char>(in), {}}};
    const trust::registry_bound::WantedImage image{
        .digest = *trust::Sha256Digest::Parse(
            "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4"),
        .repository = "r.example/web",
        .tag = {}};
    const trust::SharedDemand demand = Demand();
    const auto verified = trust::notation::AsNotation(*demand).Verify(
        laid.AsBytes(), image, *trust::ParseRfc3339("2026-11-28T20:00:00Z"));
    return verified ? "good" : std::string(CodeOf(verified.error().reason));
  }
};

BOOST_AUTO_TEST_SUITE(NotationConfigTest)

BOOST_AUTO_TEST_CASE(ARuleWantsWhatItsTrustsStoresAndItsIdentitiesSay) {
  NotationFile file;
  BOOST_TEST(file.Verifies("envelopes/nota-jws-good.jws") == "good");
  BOOST_TEST(file.Verifies("envelopes/nota-jws-other-root.jws") == "untrusted-root");
  BOOST_TEST(file.Verifies("envelopes/nota-jws-authority-good.jws") == "untrusted-root");
  file.rule = "trust = \"notation\"\nidentities = [\"x509.subject: C=CH, ST=ZH, O=Other\"]\n";
  BOOST_TEST(file.Verifies("envelopes/nota-jws-good.jws") == "identity");
  NotationFile authority;
  authority.section =
      "signing_authority = " + Files({"trust/notation/signingAuthority-acme.pem"}) + "\n";
  BOOST_TEST(authority.Verifies("envelopes/nota-jws-authority-good.jws") == "good");
  BOOST_TEST(authority.Verifies("envelopes/nota-jws-good.jws") == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(WithTimestampAuthorities_ASignatureNeedsATimestamp_OrOnlyOnceItHasEnded) {
  NotationFile file;
  file.section += "tsa = " + Files({"trust/notation/tsa-acme.pem"}) + "\n";
  BOOST_TEST(file.Verifies("envelopes/nota-jws-tsa-good.jws") == "good");
  BOOST_TEST(file.Verifies("envelopes/nota-jws-good.jws") == "timestamp");
  file.section += "verify_timestamp = \"after-cert-expiry\"\n";
  BOOST_TEST(file.Verifies("envelopes/nota-jws-good.jws") == "good");
}

BOOST_AUTO_TEST_CASE(RevocationListsOfTheTrust_Count) {
  NotationFile file;
  file.section = "ca = " + Files({"notation/revocation/ca.pem"}) + "\n";
  BOOST_TEST(file.Verifies("revocation/signed.jws") == "good");
  const std::string without = file.section;
  const std::string root = "notation/revocation/root.pem";
  for (const auto& [list, outcome] :
       {std::pair("signing-ca.crl", "good"), std::pair("signing-ca-revokes.pem", "revoked"),
        std::pair("root-revokes.pem", "revocation")}) {
    file.section = without + "revocation = \"crl\"\ncrl_files = " +
                   Files({root, std::string("notation/revocation/") + list}) + "\n";
    BOOST_TEST(file.Verifies("revocation/signed.jws") == outcome, list);
  }
  file.section = without + "revocation = \"off\"\n";
  BOOST_TEST(file.Verifies("revocation/signed.jws") == "good");
}

// Two that accept the same are one, and what changes a verdict changes them.
BOOST_AUTO_TEST_CASE(DemandsAreEqual_WhereTheyAcceptTheSame) {
  const NotationFile file;
  BOOST_TEST(file.Demand()->Equals(*file.Demand()));
  std::vector<NotationFile> others(7, file);
  others[0].section = "ca = " + Files({"trust/notation/ca-evil.pem"}) + "\n";
  others[1].section = "signing_authority = " + Files({"trust/notation/ca-acme.pem"}) + "\n";
  others[2].section += "tsa = " + Files({"trust/notation/tsa-acme.pem"}) + "\n";
  others[3].section +=
      "revocation = \"crl\"\ncrl_files = " + Files({"notation/revocation/root.pem"}) + "\n";
  others[4].rule = "trust = \"notation\"\nidentities = [\"*\"]\n";
  others[5].rule += "annotations = { a = \"b\" }\n";
  others[6].rule += "tag_order = \"refuse\"\n";
  for (const NotationFile& other : others) {
    BOOST_TEST(!file.Demand()->Equals(*other.Demand()), other.section + other.rule);
  }
}

BOOST_AUTO_TEST_CASE(WhatIsMissing_IsAskedFor) {
  NotationFile file;
  file.section.clear();
  file.Says("\"ca\" in [trust.notation] is missing");
  file = {};
  file.rule = "trust = \"notation\"\n";
  file.Says("\"identities\" in this [[rule]] is missing");
  file = {};
  file.section += "revocation = \"crl\"\n";
  file.Says("\"crl_files\" in [trust.notation] is missing");
}

BOOST_AUTO_TEST_CASE(WhatMeansNothing_IsRefused_WithItsLine) {
  for (const std::string line :
       {"url = \"https://r.example\"", "trusted_root = \"/x\"", "refresh_interval = \"5m\"",
        "ca = []", "tsa = []", "signing_authority = []", "revocation = \"ocsp\"",
        "verify_timestamp = \"always\"", "verify_timestamp = \"never\"", "colour = 1",
        "crl_files = [\"/x\"]", "plugin = \"x\""}) {
    NotationFile file;
    const bool again = line.starts_with("ca ");
    file.section = again ? line + "\n" : file.section + line + "\n";
    file.Says(again ? "f:5:" : "f:6:");
  }
  for (const std::string line :
       {"keys = [\"/x\"]", "log = \"off\"", "formats = [\"bundle\"]", "root = { tofu = true }",
        "gun = \"x/**\"", "target = \"x\"", "present = \"current\"", "annotations = {}",
        "annotations = { a = 1 }", "tag_order = \"never\"", "max_age = \"1s\"", "colour = 1"}) {
    NotationFile file;
    file.rule += line + "\n";
    file.Says("f:11:");
  }
}

BOOST_AUTO_TEST_CASE(FilesThatAreNoStore_AndTextsThatAreNoIdentity_AreNamed) {
  NotationFile file;
  file.section = "ca = " + Files({"trust/notation/ca-leaf.pem"}) + "\n";
  file.Says("which is no authority");
  file.section = "ca = " + Files({"trust/key-p256.pub"}) + "\n";
  file.Says("holds no certificates");
  file = {};
  file.section +=
      "revocation = \"crl\"\ncrl_files = " + Files({"notation/revocation/signing-ca-part.pem"}) +
      "\n";
  file.Says("it may be a part of a list");
  file = {};
  for (const std::string text : {"CN=release", "x509.subject: C=CH",
                                 "x509.subject: C=CH, ST=ZH, "
                                 "O=Acme, O=Other",
                                 "", "**"}) {
    file.rule = "trust = \"notation\"\nidentities = [\"" + text + "\"]\n";
    file.Says("f:10:15: \"identities\": trusted identity");
  }
  file.rule = "trust = \"notation\"\nidentities = []\n";
  file.Says("\"identities\" must not be empty");
  file.rule = "trust = \"notation\"\nidentities = [{ issuer = \"i\", subject = \"s\" }]\n";
  BOOST_TEST(!file.Errors().empty());
}

// Kinds may have keys of one name: what is wrong with one is said once.
BOOST_AUTO_TEST_CASE(AKeyOfSeveralKinds_IsRefusedOnce) {
  const auto count = [](const std::string& text, const std::string& wanted) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  const auto errors = [](const std::string& text) {
    const auto config = ParseConfig(text, "f");
    std::string all;
    if (!config) {
      for (const ConfigError& error : config.error()) all += error.ToString() + "\n";
    }
    return all;
  };
  BOOST_TEST(count(errors("[default]\naction = \"deny\"\ngun = \"x/**\"\n"),
                   "the default is for every name") == 1U);
  BOOST_TEST(count(errors("[default]\naction = \"deny\"\nidentities = [\"*\"]\n"),
                   "\"identities\"") == 1U);
  NotationFile file;
  file.rule = "any_of = [{ trust = \"notation\" }]\nidentities = [\"*\"]\n";
  BOOST_TEST(count(file.Errors(), "belongs into each member") == 1U, file.Errors());
}

BOOST_AUTO_TEST_CASE(MaxAge_WantsSomebodyWhoProvesTheTime) {
  NotationFile file;
  file.rule += "max_age = \"90d\"\n";
  file.Says("has neither \"tsa\" nor \"signing_authority\"");
  file.section += "tsa = " + Files({"trust/notation/tsa-acme.pem"}) + "\n";
  BOOST_TEST(file.Errors() == "");
  BOOST_TEST((trust::notation::AsNotation(*file.Demand()).max_age == std::chrono::hours{24 * 90}));
}

BOOST_AUTO_TEST_CASE(Annotations_AndTheOrderOfTags_AreTheRules) {
  NotationFile file;
  file.rule += "annotations = { tag = \"$tag\", build = \"77\" }\ntag_order = \"refuse\"\n";
  const trust::SharedDemand demand = file.Demand();
  const auto& own = trust::notation::AsNotation(*demand);
  BOOST_TEST(own.annotations.wanted.size() == 2U);
  BOOST_CHECK(own.tag_order == trust::registry_bound::TagOrder::kRefuse);
  BOOST_TEST(file.Verifies("envelopes/nota-jws-good.jws") == "identity");
}

BOOST_AUTO_TEST_CASE(Anybody_IsWarnedOf) {
  NotationFile file;
  file.rule = "trust = \"notation\"\nidentities = [\"*\"]\n";
  const auto config = file.Parsed();
  BOOST_REQUIRE_MESSAGE(config, file.Errors());
  BOOST_TEST(std::any_of(config->warnings.begin(), config->warnings.end(), [](const auto& line) {
    return line.find("believes everybody") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(HowLongWhatHasAgedCounts_IsTheRules) {
  NotationFile file;
  const auto unsaid = file.Parsed();
  BOOST_REQUIRE_MESSAGE(unsaid, file.Errors());
  BOOST_TEST((unsaid->policy->rules().front()->present_max_age == std::chrono::hours{24 * 30}));
  BOOST_TEST((unsaid->policy->rules().front()->confirmed_max_age == std::chrono::hours{0}));
  file.rule += "present_max_age = \"7d\"\n";
  const auto config = file.Parsed();
  BOOST_REQUIRE_MESSAGE(config, file.Errors());
  BOOST_TEST((config->policy->rules().front()->present_max_age == std::chrono::hours{24 * 7}));
  BOOST_TEST((config->policy->rules().front()->confirmed_max_age == std::chrono::hours{24 * 7}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
