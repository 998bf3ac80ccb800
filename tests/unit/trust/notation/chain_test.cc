// SPDX-License-Identifier: Apache-2.0

// What the Notary Project wants of certificates, of the signer's time and of its expiry, with
// chains that the vectors do not have.

#include "trust/notation/chain.h"

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/trust/signing_key.h"
#include "trust/base/bytes.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/jws.h"

namespace crivet::trust::notation {
namespace {

using Role = CertificateRequest::Role;
using std::chrono::seconds;

TimePoint Time(const char* text) { return ParseRfc3339(text).value(); }
const TimePoint kNow = Time("2026-11-28T20:00:00Z");

CertificateRequest Authority(const std::string& name = "authority") {
  return {.common_names = {name}, .role = Role::kAuthority, .extended_usages = {}};
}

/// Root, authority and leaf.
struct Chain {
  SigningKey root = SigningKey::Ecdsa().SelfSigned(Authority("root"));
  SigningKey authority = SigningKey::Ecdsa().IssuedBy(root, Authority());
  SigningKey leaf = SigningKey::Ecdsa().IssuedBy(authority, {.common_names = {"signer"}});

  std::vector<Certificate> Certificates() const {
    std::vector<Certificate> all;
    for (const SigningKey* key : {&leaf, &authority, &root}) {
      all.push_back(CertificateSet::Parse(key->certificate_pem()).value().certificates().front());
    }
    return all;
  }
};

struct Row {
  std::string name;
  std::vector<Certificate> chain;
  bool good = false;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

Row Leaf(const std::string& name, const CertificateRequest& request, bool good = false) {
  Chain chain;
  chain.leaf = SigningKey::Ecdsa().IssuedBy(chain.authority, request);
  return {name, chain.Certificates(), good};
}

Row Key(const std::string& name, const SigningKey& key, bool good = false) {
  Chain chain;
  chain.leaf = key.IssuedBy(chain.authority, {.common_names = {"signer"}});
  return {name, chain.Certificates(), good};
}

Row Issuer(const std::string& name, const CertificateRequest& request) {
  Chain chain;
  chain.authority = SigningKey::Ecdsa().IssuedBy(chain.root, request);
  chain.leaf = SigningKey::Ecdsa().IssuedBy(chain.authority, {.common_names = {"signer"}});
  return {name, chain.Certificates()};
}

std::vector<Row> Rows() {
  const auto usages = [](std::vector<std::string> names) {
    return CertificateRequest{.common_names = {"signer"}, .extended_usages = std::move(names)};
  };
  const std::string says_ca = "\x30\x03\x01\x01\xff";
  std::vector<Row> rows = {
      {"as it should be", Chain().Certificates(), true},
      Leaf("no purpose", usages({}), true),
      Leaf("for code", usages({"codeSigning"}), true),
      Leaf("for servers too", usages({"codeSigning", "serverAuth"})),
      Leaf("for clients", usages({"clientAuth"})),
      Leaf("for mail", usages({"emailProtection"})),
      Leaf("for timestamps", usages({"timeStamping"})),
      Leaf("for anything", usages({"anyExtendedKeyUsage"})),
      Leaf("an authority", Authority()),
      Leaf("SHA-1", {.common_names = {"signer"}, .digest = "SHA1"}),
      Key("P-224", SigningKey::Ecdsa("P-224")),
      Key("P-384", SigningKey::Ecdsa("P-384"), true),
      Key("Ed25519", SigningKey::Ed25519()),
      Key("RSA of 1024 bits", SigningKey::Rsa(1024)),
      Key("RSA of 2048 bits", SigningKey::Rsa(2048), true),
      Issuer("an issuer that is none", {.common_names = {"authority"}}),
      Issuer("an issuer that says so without weight",
             {.common_names = {"authority"}, .raw_extensions = {{"basicConstraints", says_ca}}}),
  };
  Chain weak;
  CertificateRequest sha1 = Authority();
  sha1.digest = "SHA1";
  weak.authority = SigningKey::Ecdsa().IssuedBy(weak.root, sha1);
  weak.leaf = SigningKey::Ecdsa().IssuedBy(weak.authority, {.common_names = {"signer"}});
  rows.push_back({"SHA-1 in between", weak.Certificates()});
  std::vector<Certificate> chain = Chain().Certificates();
  rows.push_back({"no root", {chain[0], chain[1]}});
  rows.push_back({"something behind the root", {chain[0], chain[1], chain[2], chain[1]}});
  rows.push_back({"nothing", {}});
  return rows;
}

BOOST_AUTO_TEST_SUITE(NotationChainTest)

BOOST_DATA_TEST_CASE(AChain_IsWhatTheSpecificationWants, boost::unit_test::data::make(Rows()),
                     row) {
  const auto shape = CheckShape(row.chain);
  BOOST_TEST((shape && CheckLinks(row.chain)) == row.good,
             (shape ? std::string() : shape.error().detail));
}

BOOST_AUTO_TEST_CASE(AStranger_BetweenIssuerAndSubject_BreaksTheChain) {
  const auto chain = Chain().Certificates();
  const auto other = Chain().Certificates();
  // Of the same names: only the keys differ.
  BOOST_TEST(!CheckLinks({chain[0], other[1], other[2]}));
  BOOST_TEST(!CheckLinks({chain[0], chain[1], other[2]}));
}

std::string Base64Url(std::string_view bytes) {
  std::string text = ToBase64(AsBytes(bytes));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

constexpr char kPayload[] =
    R"({"targetArtifact":{"digest":"sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4","mediaType":"m","size":1}})";

// What a signer with that chain writes, its times as they stand here.
std::string Jws(const Chain& chain, const std::string& scheme, const std::string& times,
                const std::string& critical) {
  const std::string header =
      R"({"alg":"ES256","cty":"application/vnd.cncf.notary.payload.v1+json","crit":["io.cncf.notary.signingScheme")" +
      critical + R"(],"io.cncf.notary.signingScheme":")" + scheme + "\"" + times + "}";
  const std::string covered = Base64Url(header) + "." + Base64Url(kPayload);
  std::string x5c;
  for (const Certificate& certificate : chain.Certificates()) {
    x5c += (x5c.empty() ? "\"" : ",\"") + ToBase64(AsBytes(certificate.der())) + "\"";
  }
  return R"({"payload":")" + Base64Url(kPayload) + R"(","protected":")" + Base64Url(header) +
         R"(","header":{"x5c":[)" + x5c + R"(]},"signature":")" +
         Base64Url(chain.leaf.Sign(covered)) + "\"}";
}

std::string Verified(const std::string& jws, const Chain& chain, TimePoint now) {
  const auto envelope = ParseJws(jws);
  if (!envelope) return envelope.error().detail;
  ImageDemand demand;
  demand.authorities = CertificateSet::Parse(chain.root.certificate_pem()).value();
  demand.signing_authorities = demand.authorities;
  demand.identities.push_back(TrustedIdentity::Parse("*").value());
  const WantedImage image{
      .digest = Sha256Digest::Parse(
                    "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4")
                    .value(),
      .size = 1,
      .media_type = "m"};
  const auto verified = VerifyEnvelope(*envelope, image, demand, now);
  return verified ? "good" : std::string(CodeOf(verified.error().reason));
}

// Both ends belong to a certificate's life.
BOOST_AUTO_TEST_CASE(AnAuthoritysTime_LiesWithinTheLifeOfEveryCertificate) {
  Chain chain;
  const TimePoint begins = Time("2026-01-01T00:00:00Z");
  const TimePoint ends = Time("2026-02-01T00:00:00Z");
  chain.leaf = SigningKey::Ecdsa().IssuedBy(
      chain.authority, {.common_names = {"signer"}, .not_before = begins, .not_after = ends});
  const auto at = [&](TimePoint time) {
    return Verified(Jws(chain, "notary.x509.signingAuthority",
                        R"(,"io.cncf.notary.authenticSigningTime":")" + FormatRfc3339(time) + "\"",
                        R"(,"io.cncf.notary.authenticSigningTime")"),
                    chain, kNow);
  };
  BOOST_TEST(at(begins - seconds{1}) == "timestamp");
  BOOST_TEST(at(begins) == "good");
  BOOST_TEST(at(ends) == "good");
  BOOST_TEST(at(ends + seconds{1}) == "timestamp");
}

// What the signer alone says of the time proves nothing.
BOOST_AUTO_TEST_CASE(ASignersOwnTime_CountsForNothing_AndNowDoes) {
  Chain chain;
  const TimePoint begins = Time("2026-01-01T00:00:00Z");
  const TimePoint ends = Time("2026-02-01T00:00:00Z");
  chain.leaf = SigningKey::Ecdsa().IssuedBy(
      chain.authority, {.common_names = {"signer"}, .not_before = begins, .not_after = ends});
  const std::string jws =
      Jws(chain, "notary.x509", R"(,"io.cncf.notary.signingTime":"2026-01-15T00:00:00Z")", "");
  BOOST_TEST(Verified(jws, chain, begins - seconds{1}) == "timestamp");
  BOOST_TEST(Verified(jws, chain, begins) == "good");
  BOOST_TEST(Verified(jws, chain, ends) == "good");
  BOOST_TEST(Verified(jws, chain, ends + seconds{1}) == "timestamp");
}

BOOST_AUTO_TEST_CASE(AnExpiry_IsTheFirstMomentAtWhichNothingCounts) {
  const Chain chain;
  const std::string jws = Jws(chain, "notary.x509",
                              R"(,"io.cncf.notary.signingTime":"2026-01-15T00:00:00Z")"
                              R"(,"io.cncf.notary.expiry":"2026-11-28T20:00:00Z")",
                              R"(,"io.cncf.notary.expiry")");
  BOOST_TEST(Verified(jws, chain, kNow - seconds{1}) == "good");
  BOOST_TEST(Verified(jws, chain, kNow) == "signature-expired");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::notation
