// SPDX-License-Identifier: Apache-2.0

// Every key of every kind changes what a rule wants. A key that a kind reads and then forgets when
// it compares two demands lets one rule have the verdict of another: both count as one
// (trust/decide/demand.h).

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "trust/kinds.h"

namespace crivet::proxy {
namespace {

using Keys = std::map<std::string, std::string>;

std::string Data(const std::string& name) {
  return "\"" + std::string(CRIVET_TEST_DATA) + "/" + name + "\"";
}

std::string IdOf(char digit) { return "\"" + std::string(64, digit) + "\""; }

const std::string kAcme = "[" + Data("sigstore/trust/notation/ca-acme.pem") + "]";
const std::string kMore = "[" + Data("sigstore/trust/notation/ca-more.pem") + "]";
const std::string kStamps = "[" + Data("sigstore/trust/notation/tsa-acme.pem") + "]";
const std::string kLists = "[" + Data("sigstore/notation/revocation/root.pem") + "]";

/// What stands in the `[trust.*]` and the rule of a kind where a row says nothing else.
struct Plain {
  Keys trust;
  Keys rule;
};

const std::map<std::string, Plain>& PlainOfKinds() {
  static const std::map<std::string, Plain> plain = {
      {"notary",
       {{{"url", "\"https://trust.example\""}}, {{"root", "{ key_ids = [" + IdOf('a') + "] }"}}}},
      {"tuf",
       {{{"url", "\"https://trust.example\""},
         {"root", "{ root_file = " + Data("tuf/root.json") + " }"}},
        {}}},
      {"sigstore",
       {{{"trusted_root", Data("sigstore/trust/trusted_root.json")}},
        {{"identities", "[{ issuer = \"https://i.example\", subject = \"a\" }]"}}}},
      {"notation", {{{"ca", kAcme}}, {{"identities", "[\"x509.subject: C=CH, ST=ZH, O=Acme\"]"}}}},
  };
  return plain;
}

/// Two values of one key, or no key where one is empty; `beside` is what else has to stand there,
/// or must not.
struct Row {
  enum class Changes : std::uint8_t {
    kDemand,  ///< what has to be signed by whom
    kName,    ///< where that is looked for, or under which name
  };
  std::string kind;
  std::string key;
  std::string one;
  std::string other;
  Keys beside = {};
  Changes changes = Changes::kDemand;
};

const std::vector<Row>& Rows() {
  using enum Row::Changes;
  const std::string two_lists = "[" + Data("sigstore/notation/revocation/root.pem") + ", " +
                                Data("sigstore/notation/revocation/signing-ca.crl") + "]";
  const Keys by_key = {{"identities", ""}};
  const Keys by_tuf = {{"trusted_root", "{ tuf = \"roots\" }"}};
  static const std::vector<Row> rows = {
      {"notary", "root", "{ key_ids = [" + IdOf('a') + "] }", "{ key_ids = [" + IdOf('b') + "] }"},
      {"notary", "root", "", "{ tofu = true }"},
      {"notary", "root", "", "{ root_file = " + Data("notary/root.json") + " }"},
      {"notary", "root", "", "{ cert_file = " + Data("sigstore/trust/notation/ca-acme.pem") + " }"},
      {"notary", "root", "{ cert_file = " + Data("sigstore/trust/notation/ca-acme.pem") + " }",
       "{ ca_file = " + Data("sigstore/trust/notation/ca-acme.pem") + " }"},
      {"notary", "roles", "", "[\"targets\"]"},
      {"notary", "signers", "", "[\"alice\"]"},
      {"notary", "grace", "", "\"1h\""},
      {"notary", "gun", "", "\"signed.example/**\"", {}, kName},
      {"tuf", "root", "", "{ tofu = true }"},
      {"tuf", "root", "", "{ key_ids = [" + IdOf('a') + "] }"},
      {"tuf", "root", "{ key_ids = [" + IdOf('a') + "] }", "{ key_ids = [" + IdOf('b') + "] }"},
      {"tuf", "max_delegations", "", "5"},
      {"tuf", "target", "", "\"{name}/{tag}\""},
      {"tuf", "digest_target", "", "\"{name}-of@{digest}\""},
      {"tuf", "digest_target", "", "\"\""},
      {"tuf", "roles", "", "[\"releases\"]"},
      {"tuf", "signers", "", "[\"alice\"]"},
      {"tuf", "grace", "", "\"1h\""},
      {"tuf", "gun", "", "\"signed.example/**\"", {}, kName},
      {"sigstore", "trusted_root", "", Data("sigstore/trust/root_two_cas.json")},
      {"sigstore", "trusted_root", "{ tuf = \"roots\" }", "{ tuf = \"others\" }"},
      {"sigstore", "trusted_root", "{ tuf = \"roots\" }", "{ tuf = \"roots\", target = \"x\" }"},
      {"sigstore", "keys", "[" + Data("sigstore/trust/cosign.pub") + "]",
       "[" + Data("sigstore/trust/key-p384.pub") + "]", by_key},
      {"sigstore", "identities", "", "[{ issuer = \"https://i.example\", subject = \"b\" }]"},
      {"sigstore", "identities", "", "[{ issuer = \"https://o.example\", subject = \"a\" }]"},
      {"sigstore", "formats", "", "[\"bundle\"]"},
      {"sigstore", "formats", "", "[\"legacy\"]"},
      {"sigstore", "log", "", "\"off\""},
      {"sigstore", "logs", "", "2", by_tuf},
      {"sigstore", "scts", "", "0"},
      {"sigstore", "timestamps", "", "2"},
      {"sigstore", "signed_timestamps", "", "1"},
      {"sigstore", "annotations", "", "{ tag = \"$tag\" }"},
      {"sigstore", "annotations", "{ tag = \"$tag\" }", "{ tag = \"1\" }"},
      {"sigstore", "tag_order", "", "\"refuse\""},
      {"sigstore", "max_age", "", "\"30d\""},
      {"sigstore", "source", "", "\"r.example/signatures\"", {}, kName},
      {"sigstore", "signed_as", "", "\"signed.example/**\"", {}, kName},
      {"notation", "identities", "", "[\"x509.subject: C=CH, ST=ZH, O=Other\"]"},
      {"notation", "annotations", "", "{ tag = \"$tag\" }"},
      {"notation", "tag_order", "", "\"refuse\""},
      {"notation", "max_age", "", "\"30d\"", {{"tsa", kStamps}}},
      {"notation", "ca", "", kMore},
      {"notation", "signing_authority", "", kMore},
      {"notation", "tsa", "", kStamps},
      {"notation", "verify_timestamp", "", "\"after-cert-expiry\"", {{"tsa", kStamps}}},
      {"notation", "revocation", "", "\"crl\"\ncrl_files = " + kLists},
      {"notation", "crl_files", kLists, two_lists, {{"revocation", "\"crl\""}}},
  };
  return rows;
}

bool IsOfTrust(const trust::Kind& kind, const std::string& key) {
  const std::vector<std::string>& keys = kind.trust_keys();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string Lines(const Keys& keys) {
  std::string lines;
  for (const auto& [key, value] : keys) {
    if (!value.empty()) lines += key + " = " + value + "\n";
  }
  return lines;
}

// The member of the one rule of a configuration in which that key has that value.
trust::Member MemberOf(const Row& row, const trust::Kind& kind, const std::string& value) {
  Plain plain = PlainOfKinds().at(row.kind);
  const auto put = [&](const std::string& key, const std::string& text) {
    (IsOfTrust(kind, key) ? plain.trust : plain.rule)[key] = text;
  };
  for (const auto& [key, text] : row.beside) put(key, text);
  if (!value.empty()) put(row.key, value);
  std::string text = "[default]\naction = \"deny\"\n[trust.it]\nkind = \"" + row.kind + "\"\n" +
                     Lines(plain.trust) +
                     "[[rule]]\nimages = [\"r.example/**\"]\naction = \"verify\"\n"
                     "trust = \"it\"\n" +
                     Lines(plain.rule);
  for (const char* label : {"roots", "others"}) {
    text += std::string("[trust.") + label + "]\nkind = \"tuf\"\n" + "url = \"https://" + label +
            ".example/metadata\"\n" + Lines({{"root", PlainOfKinds().at("tuf").trust.at("root")}});
  }
  const auto config = ParseConfig(text, "f");
  std::string errors;
  if (!config) {
    for (const ConfigError& error : config.error()) errors += error.ToString() + "\n";
  }
  BOOST_REQUIRE_MESSAGE(config, row.kind + "." + row.key + ": " + errors + text);
  return config->policy->rules().front()->members.front();
}

std::string NameUnder(const trust::Member& member) {
  const std::string own = "r.example/web";
  const std::string as = member.signed_as ? member.signed_as->text() : "";
  return as + " " + member.kind->CollectionUnder(*member.demand, own).value_or("");
}

BOOST_AUTO_TEST_SUITE(DemandKeysTest)

BOOST_AUTO_TEST_CASE(EveryKeyOfEveryKind_HasARowHere) {
  for (const trust::Kind* kind : trust::AllKinds()) {
    std::set<std::string> missing;
    for (const auto* keys : {&kind->rule_keys(), &kind->trust_keys()}) {
      missing.insert(keys->begin(), keys->end());
    }
    BOOST_TEST(!missing.empty());
    for (const Row& row : Rows()) {
      if (row.kind == kind->name()) missing.erase(row.key);
    }
    for (const std::string& key : missing) {
      BOOST_ERROR("a row for \"" << key << "\" of kind = \"" << kind->name()
                                 << "\": two values of it, between which the demand changes");
    }
  }
}

BOOST_AUTO_TEST_CASE(TwoValuesOfAKey_AreTwoDemands) {
  for (const Row& row : Rows()) {
    const trust::Kind* kind = trust::FindKind(trust::AllKinds(), row.kind);
    BOOST_REQUIRE(kind != nullptr);
    const trust::Member one = MemberOf(row, *kind, row.one);
    const trust::Member again = MemberOf(row, *kind, row.one);
    const trust::Member other = MemberOf(row, *kind, row.other);
    const std::string what = row.kind + "." + row.key + ": " + row.one + " and " + row.other;
    BOOST_TEST(one.demand->Equals(*again.demand), what);
    if (row.changes == Row::Changes::kDemand) {
      BOOST_TEST(!one.demand->Equals(*other.demand), what);
    } else {
      BOOST_TEST(NameUnder(one) != NameUnder(other), what);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
