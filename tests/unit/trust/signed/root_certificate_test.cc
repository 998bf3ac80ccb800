// SPDX-License-Identifier: Apache-2.0
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

#include "tests/support/trust/signing_key.h"
#include "trust/signed/public_key.h"

using namespace crivet::trust;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

namespace {

using Role = CertificateRequest::Role;

TimePoint Time(const char* text) { return ParseRfc3339(text).value(); }
const TimePoint kNow = Time("2026-11-24T12:00:00Z");
const std::string kName = "docker.io/acme/web";

std::string ReasonOf(const Result<void>& result) {
  return std::string(result ? "ok" : CodeOf(result.error().reason));
}
std::string Check(const SigningKey& key, ExpiryCheck expiry = ExpiryCheck::kEnforce,
                  TimePoint now = kNow) {
  return ReasonOf(CheckRootCertificate(key.Parsed(), kName, now, expiry));
}

SigningKey Authority(CertificateRequest request = {}) {
  request.common_names = {"an authority"};
  request.role = Role::kAuthority;
  request.extended_usages = {};
  return SigningKey::Ecdsa().SelfSigned(request);
}

CertificateRequest LeafForServers() {
  return {.common_names = {kName}, .extended_usages = {"serverAuth"}};
}

CertificateSet Pems(const std::string& pem) { return CertificateSet::Parse(pem).value(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(CertificateTest)

BOOST_AUTO_TEST_CASE(Facts_OfACertificate_AreWhatItWasMadeWith) {
  const auto key =
      SigningKey::Ecdsa("P-384").SelfSigned({.common_names = {"docker.io/acme/*"},
                                             .not_before = Time("2021-02-03T04:05:06Z"),
                                             .not_after = Time("2051-02-03T04:05:06Z")});
  const auto set = Pems(key.certificate_pem());
  BOOST_REQUIRE(set.certificates().size() == 1u);
  const Certificate& certificate = set.certificates().front();
  BOOST_TEST(certificate.common_name() == "docker.io/acme/*");
  BOOST_TEST(certificate.subject() == "CN=docker.io/acme/*");
  BOOST_TEST(certificate.issuer() == "CN=docker.io/acme/*");
  BOOST_TEST(FormatRfc3339(certificate.not_before()) == "2021-02-03T04:05:06Z");
  // Beyond 2050 the encoding of a date is another one.
  BOOST_TEST(FormatRfc3339(certificate.not_after()) == "2051-02-03T04:05:06Z");
  BOOST_TEST(!certificate.is_ca());
  BOOST_TEST(!certificate.has_weak_signature());
  BOOST_TEST((certificate.key() == Certificate::Key::kEcdsa));
  BOOST_TEST(certificate.key_bits() == 384);
  BOOST_TEST((certificate.sha256() == Sha256Of(certificate.der())));
  BOOST_TEST(Pems(Authority().certificate_pem()).certificates().front().is_ca());
}

BOOST_AUTO_TEST_CASE(WeakSignature_Sha1OrMd5_IsSeen) {
  const auto key = SigningKey::Rsa();
  for (const char* digest : {"SHA1", "MD5", "SHA256", "SHA384", "SHA512"}) {
    BOOST_TEST_CONTEXT(digest) {
      const auto pem = key.SelfSigned({.common_names = {"a"}, .digest = digest}).certificate_pem();
      BOOST_TEST(Pems(pem).certificates().front().has_weak_signature() ==
                 (digest == "SHA1"s || digest == "MD5"s));
    }
  }
}

BOOST_AUTO_TEST_CASE(CommonName_MissingOrTwice_IsEmpty) {
  const auto key = SigningKey::Ecdsa();
  for (const auto& names :
       {std::vector<std::string>{}, std::vector<std::string>{kName, "docker.io/evil/x"},
        std::vector<std::string>{kName, kName}}) {
    const auto certified = key.SelfSigned({.common_names = names});
    BOOST_TEST(Pems(certified.certificate_pem()).certificates().front().common_name() == "");
    BOOST_TEST(Check(certified) == "untrusted-root");
  }
}

BOOST_AUTO_TEST_CASE(CommonName_WithAZeroByte_IsNotCutShort) {
  const auto key = SigningKey::Ecdsa().SelfSigned({.common_names = {kName + "\0.evil"s}});
  BOOST_TEST(Check(key) == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(Parse_TextAroundAndCrLf_IsAcceptedForPins) {
  const auto key = SigningKey::Ecdsa().SelfSigned({.common_names = {"a"}});
  std::string crlf;
  for (const char c : key.certificate_pem()) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  const auto set = Pems("a comment\n" + key.certificate_pem() + "\nmore\n" + crlf);
  BOOST_TEST(set.certificates().size() == 2u);
  BOOST_TEST((set.certificates()[0] == set.certificates()[1]));
  BOOST_TEST(set.Contains(set.certificates()[0]));
  BOOST_TEST(!CertificateSet{}.Contains(set.certificates()[0]));
  BOOST_TEST(Pems(key.certificate_pem()).ToPem() == key.certificate_pem());
}

BOOST_AUTO_TEST_CASE(Parse_AnythingElse_IsMalformed) {
  const std::string pem = SigningKey::Ecdsa().SelfSigned({.common_names = {"a"}}).certificate_pem();
  const std::string body = pem.substr(28, pem.size() - 28 - 26);
  const auto block = [&](const std::string& kind, const std::string& content) {
    return "-----BEGIN " + kind + "-----\n" + content + "-----END " + kind + "-----\n";
  };
  BOOST_REQUIRE(block("CERTIFICATE", body) == pem);
  const std::string wrong[] = {
      "",
      "text\n",
      body,
      pem.substr(0, pem.size() / 2),
      block("CERTIFICATE", ""),
      block("CERTIFICATE", "AAAA\n"),
      block("CERTIFICATE", "!!!!\n"),
      block("PRIVATE KEY", body),
      block("TRUSTED CERTIFICATE", body),
      block("X509 CERTIFICATE", body),
      pem + block("PRIVATE KEY", "AAAA\n"),
      pem + pem.substr(0, 100),
      block("CERTIFICATE", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + body),
  };
  for (const std::string& text : wrong) {
    BOOST_TEST_CONTEXT(text) {
      const auto set = CertificateSet::Parse(text);
      BOOST_REQUIRE(!set.has_value());
      BOOST_TEST((set.error().reason == Reason::kMalformed));
    }
  }
}

struct Unreadable {
  const char* what;
  std::vector<std::string> usages;
  std::vector<std::pair<std::string, std::string>> raw;
  friend std::ostream& operator<<(std::ostream& out, const Unreadable& row) {
    return out << row.what;
  }
};

// DER: a sequence of one object identifier, and a sequence that is empty.
const std::string kServerAuth = "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"s;
const std::string kEmpty = "\x30\x00"s;

const Unreadable kUnreadables[] = {
    {"usages that are garbage", {}, {{"extendedKeyUsage", "\xff\xff\xff\xff"s}}},
    {"usages without a byte", {}, {{"extendedKeyUsage", ""}}},
    {"usages cut short", {}, {{"extendedKeyUsage", kServerAuth.substr(0, 7)}}},
    {"usages twice", {"codeSigning"}, {{"extendedKeyUsage", kServerAuth}}},
    {"usages readable, then garbage", {"serverAuth"}, {{"extendedKeyUsage", "\xff"s}}},
    {"constraints that are garbage", {}, {{"basicConstraints", "\xff\xff"s}}},
    {"constraints twice", {}, {{"basicConstraints", kEmpty}, {"basicConstraints", kEmpty}}},
};

// Notary's client cannot load such a certificate either: Go refuses it as a whole. A reader that
// takes what it cannot read for absent would let a key sign for servers, or a leaf be an authority.
BOOST_DATA_TEST_CASE(ExtensionThatCannotBeRead_IsNotTakenForAbsent, data::make(kUnreadables), row) {
  const CertificateRequest request{
      .common_names = {kName}, .extended_usages = row.usages, .raw_extensions = row.raw};
  for (const auto& key : {SigningKey::Ecdsa().SelfSigned(request),
                          SigningKey::Ecdsa().IssuedBy(Authority(), request)}) {
    const auto set = CertificateSet::Parse(key.certificate_pem());
    BOOST_TEST(!set.has_value());
    const auto parsed = PublicKey::Parse(key.key_type(), key.base64_public());
    BOOST_REQUIRE(!parsed.has_value());
    BOOST_TEST(CodeOf(parsed.error().reason) == "malformed");
  }
}

BOOST_AUTO_TEST_CASE(FromDer_BytesBehindTheCertificate_AreMalformed) {
  const auto set = Pems(SigningKey::Ecdsa().SelfSigned({.common_names = {"a"}}).certificate_pem());
  const std::string der = set.certificates().front().der();
  BOOST_TEST(Certificate::FromDer(der).has_value());
  for (const std::string& wrong : {der + "\0"s, der + der, der.substr(0, der.size() - 1), ""s,
                                   der + std::string(Certificate::kMaxDerSize, '\0')}) {
    BOOST_TEST((Certificate::FromDer(wrong).error().reason == Reason::kMalformed));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(RootCertificateTest)

struct NameMatch {
  const char* common_name;
  bool matches;
};
std::ostream& operator<<(std::ostream& out, const NameMatch& m) { return out << m.common_name; }

const NameMatch kNameMatches[] = {
    {"docker.io/acme/web", true},
    {"docker.io/acme/we", false},
    {"docker.io/acme/web2", false},
    {"Docker.io/acme/web", false},
    {"docker.io/acme/web ", false},
    {"", false},
    {"*", true},
    {"***", true},
    {"docker.io/*", true},
    {"docker.io/acme/*", true},
    {"docker.io/acme/web*", true},
    {"docker.io/acme/w**", true},
    {"docker.io/acme/web/*", false},
    {"docker.io/evil/*", false},
    // An asterisk inside is only a letter, also before one at the end.
    {"docker.io/*/web", false},
    {"*/web", false},
    {"docker.io/*/w*", false},
    {"*docker.io*", false},
};
BOOST_DATA_TEST_CASE(CommonNameMatches_EqualOrPrefixBeforeAsterisks, data::make(kNameMatches),
                     row) {
  BOOST_TEST(CommonNameMatches(row.common_name, kName) == row.matches);
}

BOOST_AUTO_TEST_CASE(Check_LeafNamedAsTheCollection_Passes) {
  BOOST_TEST(Check(SigningKey::Ecdsa().SelfSigned({.common_names = {kName}})) == "ok");
  BOOST_TEST(Check(SigningKey::Rsa().SelfSigned({.common_names = {"docker.io/acme/*"}})) == "ok");
}

BOOST_AUTO_TEST_CASE(Check_LeafOfAnotherName_IsUntrusted) {
  BOOST_TEST(Check(SigningKey::Ecdsa().SelfSigned({.common_names = {"docker.io/evil/web"}})) ==
             "untrusted-root");
}

BOOST_AUTO_TEST_CASE(Check_KeyWithoutCertificate_IsUntrusted) {
  BOOST_TEST(Check(SigningKey::Ecdsa()) == "untrusted-root");
  BOOST_TEST(Check(SigningKey::Ed25519()) == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(Check_LeafSignedOverSha1_IsUntrusted) {
  const auto key = SigningKey::Rsa().SelfSigned({.common_names = {kName}, .digest = "SHA1"});
  BOOST_TEST(Check(key) == "untrusted-root");
  BOOST_TEST(Check(key, ExpiryCheck::kIgnore) == "untrusted-root");
}

struct Validity {
  const char* not_before;
  const char* not_after;
  const char* enforced;
  const char* ignored;
};
std::ostream& operator<<(std::ostream& out, const Validity& v) {
  return out << v.not_before << " to " << v.not_after;
}

// Now is 2026-11-24T12:00:00Z; a beginning up to a day ahead is a clock that runs behind.
const Validity kValidities[] = {
    {"2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z", "ok", "ok"},
    {"2020-01-01T00:00:00Z", "2026-11-24T12:00:00Z", "ok", "ok"},
    {"2020-01-01T00:00:00Z", "2026-11-24T11:59:59Z", "expired", "ok"},
    {"2026-11-25T12:00:00Z", "2040-01-01T00:00:00Z", "ok", "ok"},
    {"2026-11-25T12:00:01Z", "2040-01-01T00:00:00Z", "expired", "ok"},
    {"2026-11-20T00:00:00Z", "2026-11-19T00:00:00Z", "untrusted-root", "untrusted-root"},
};
BOOST_DATA_TEST_CASE(Check_DatesOfTheLeaf_DecideOnlyWhereEnforced, data::make(kValidities), row) {
  const auto key = SigningKey::Ecdsa().SelfSigned({.common_names = {kName},
                                                   .not_before = Time(row.not_before),
                                                   .not_after = Time(row.not_after)});
  BOOST_TEST(Check(key) == row.enforced);
  BOOST_TEST(Check(key, ExpiryCheck::kIgnore) == row.ignored);
}

BOOST_AUTO_TEST_CASE(Check_BundleOfLeafAndIntermediates_Passes) {
  const auto top = Authority();
  const auto middle = SigningKey::Ecdsa().IssuedBy(
      top, {.common_names = {"middle"}, .role = Role::kAuthority, .extended_usages = {}});
  const auto leaf = SigningKey::Ecdsa().IssuedBy(middle, {.common_names = {kName}});
  BOOST_TEST(Check(leaf.WithBundle(leaf.certificate_pem() + middle.certificate_pem())) == "ok");
}

BOOST_AUTO_TEST_CASE(Check_BundleOfAnotherShape_IsUntrusted) {
  const auto authority = Authority();
  const auto leaf = SigningKey::Ecdsa().IssuedBy(authority, {.common_names = {kName}});
  const auto second = SigningKey::Ecdsa().IssuedBy(authority, {.common_names = {kName}});
  const std::string wrong[] = {
      authority.certificate_pem(),                           // no leaf
      authority.certificate_pem() + leaf.certificate_pem(),  // the leaf is not first
      leaf.certificate_pem() + second.certificate_pem(),     // two leaves
      leaf.certificate_pem() + leaf.certificate_pem(),
      leaf.certificate_pem() + authority.certificate_pem() + second.certificate_pem(),
  };
  for (const std::string& bundle : wrong) {
    BOOST_TEST(Check(leaf.WithBundle(bundle)) == "untrusted-root");
  }
}

// Notary encodes the bundle anew and computes the ID of that.
BOOST_AUTO_TEST_CASE(Check_BundleThatIsNotEncodedAsGoDoes_IsUntrusted) {
  const auto key = SigningKey::Ecdsa().SelfSigned({.common_names = {kName}});
  const std::string pem = key.certificate_pem();
  std::string crlf;
  for (const char c : pem) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  for (const std::string& other :
       {crlf, "comment\n" + pem, pem + "\n", pem + "comment\n", pem.substr(0, pem.size() - 1)}) {
    BOOST_TEST(Check(key.WithBundle(other)) == "untrusted-root");
  }
}

BOOST_AUTO_TEST_CASE(Check_BundleWithAnExpiredIntermediate_PassesOnlyForOlderLinks) {
  const auto top = Authority();
  const auto expired = SigningKey::Ecdsa().IssuedBy(top, {.common_names = {"middle"},
                                                          .not_after = Time("2021-01-01T00:00:00Z"),
                                                          .role = Role::kAuthority,
                                                          .extended_usages = {}});
  const auto leaf = SigningKey::Ecdsa().IssuedBy(expired, {.common_names = {kName}});
  const auto bundle = leaf.WithBundle(leaf.certificate_pem() + expired.certificate_pem());
  BOOST_TEST(Check(bundle) == "untrusted-root");
  BOOST_TEST(Check(bundle, ExpiryCheck::kEnforce, Time("2020-06-01T00:00:00Z")) == "ok");
  BOOST_TEST(Check(bundle, ExpiryCheck::kIgnore) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ChainTest)

BOOST_AUTO_TEST_CASE(ChainsTo_AuthorityThatIssuedTheLeaf_IsTrue) {
  const auto authority = Authority();
  const auto leaf = SigningKey::Ecdsa().IssuedBy(authority, LeafForServers());
  BOOST_TEST(ChainsTo(leaf.Parsed(), Pems(authority.certificate_pem()), kNow));
}

BOOST_AUTO_TEST_CASE(ChainsTo_OverAnIntermediateOfTheBundle_IsTrue) {
  const auto top = Authority();
  const auto middle = SigningKey::Rsa().IssuedBy(
      top, {.common_names = {"middle"}, .role = Role::kAuthority, .extended_usages = {}});
  const auto leaf = SigningKey::Ecdsa().IssuedBy(middle, LeafForServers());
  const auto bundle = leaf.WithBundle(leaf.certificate_pem() + middle.certificate_pem());
  BOOST_TEST(ChainsTo(bundle.Parsed(), Pems(top.certificate_pem()), kNow));
  // Without it there is no way.
  BOOST_TEST(!ChainsTo(leaf.Parsed(), Pems(top.certificate_pem()), kNow));
  // As in Go the chain may end at any authority that is pinned.
  BOOST_TEST(ChainsTo(leaf.Parsed(), Pems(middle.certificate_pem()), kNow));
}

BOOST_AUTO_TEST_CASE(ChainsTo_AnotherAuthority_IsFalse) {
  const auto leaf = SigningKey::Ecdsa().IssuedBy(Authority(), LeafForServers());
  // Of the same name, with another key.
  BOOST_TEST(!ChainsTo(leaf.Parsed(), Pems(Authority().certificate_pem()), kNow));
  BOOST_TEST(!ChainsTo(leaf.Parsed(), CertificateSet{}, kNow));
}

BOOST_AUTO_TEST_CASE(ChainsTo_SelfSignedLeaf_IsFalse) {
  const auto leaf = SigningKey::Ecdsa().SelfSigned(LeafForServers());
  BOOST_TEST(!ChainsTo(leaf.Parsed(), Pems(Authority().certificate_pem()), kNow));
  // Nor when it is put among the authorities: it is none.
  BOOST_TEST(!ChainsTo(leaf.Parsed(), Pems(leaf.certificate_pem()), kNow));
}

BOOST_AUTO_TEST_CASE(ChainsTo_PlainKey_IsFalse) {
  BOOST_TEST(!ChainsTo(SigningKey::Ecdsa().Parsed(), Pems(Authority().certificate_pem()), kNow));
}

struct Usage {
  std::vector<std::string> leaf;
  std::vector<std::string> authority;
  bool chains;
};
std::ostream& operator<<(std::ostream& out, const Usage& usage) {
  for (const auto& name : usage.leaf) out << name << " ";
  out << "under";
  for (const auto& name : usage.authority) out << " " << name;
  return out;
}

const Usage kUsages[] = {
    {{"serverAuth"}, {}, true},
    {{}, {}, true},
    {{"anyExtendedKeyUsage"}, {}, true},
    {{"codeSigning", "serverAuth"}, {}, true},
    // What Notary's own certificates carry.
    {{"codeSigning"}, {}, false},
    {{"clientAuth"}, {}, false},
    {{"serverAuth"}, {"serverAuth"}, true},
    {{"serverAuth"}, {"clientAuth"}, false},
};
BOOST_DATA_TEST_CASE(ChainsTo_ExtendedUsages_MustAllowServers, data::make(kUsages), row) {
  const auto authority = SigningKey::Ecdsa().SelfSigned({.common_names = {"an authority"},
                                                         .role = Role::kAuthority,
                                                         .extended_usages = row.authority});
  const auto leaf = SigningKey::Ecdsa().IssuedBy(
      authority, {.common_names = {kName}, .extended_usages = row.leaf});
  BOOST_TEST(ChainsTo(leaf.Parsed(), Pems(authority.certificate_pem()), kNow) == row.chains);
}

BOOST_AUTO_TEST_CASE(ChainsTo_AnyLinkOutOfDate_IsFalse) {
  const auto authority = Authority({.not_after = Time("2030-01-01T00:00:00Z")});
  auto request = LeafForServers();
  request.not_after = Time("2028-01-01T00:00:00Z");
  const auto leaf = SigningKey::Ecdsa().IssuedBy(authority, request).Parsed();
  request.not_after = Time("2035-01-01T00:00:00Z");
  const auto longer = SigningKey::Ecdsa().IssuedBy(authority, request).Parsed();
  const auto authorities = Pems(authority.certificate_pem());
  BOOST_TEST(ChainsTo(leaf, authorities, Time("2027-12-31T00:00:00Z")));
  BOOST_TEST(!ChainsTo(leaf, authorities, Time("2028-01-02T00:00:00Z")));
  BOOST_TEST(ChainsTo(longer, authorities, Time("2029-01-01T00:00:00Z")));
  BOOST_TEST(!ChainsTo(longer, authorities, Time("2031-01-01T00:00:00Z")));
  BOOST_TEST(!ChainsTo(leaf, authorities, Time("2019-01-01T00:00:00Z")));
}

BOOST_AUTO_TEST_CASE(ChainsTo_LinkSignedOverSha1_IsFalse) {
  const auto authority = Authority();
  auto request = LeafForServers();
  request.digest = "SHA1";
  const auto leaf = SigningKey::Ecdsa().IssuedBy(authority, request);
  BOOST_TEST(!ChainsTo(leaf.Parsed(), Pems(authority.certificate_pem()), kNow));
}

// A leaf that signs another leaf: basicConstraints forbids it.
BOOST_AUTO_TEST_CASE(ChainsTo_IssuedByALeaf_IsFalse) {
  const auto authority = Authority();
  const auto leaf = SigningKey::Ecdsa().IssuedBy(authority, LeafForServers());
  const auto below = SigningKey::Ecdsa().IssuedBy(leaf, LeafForServers());
  const auto bundle = below.WithBundle(below.certificate_pem() + leaf.certificate_pem());
  BOOST_TEST(!ChainsTo(bundle.Parsed(), Pems(authority.certificate_pem()), kNow));
}

BOOST_AUTO_TEST_SUITE_END()
