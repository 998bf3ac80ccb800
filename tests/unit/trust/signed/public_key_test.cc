// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/public_key.h"

#include <openssl/err.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <ostream>
#include <set>
#include <unordered_set>

#include "tests/support/trust/signing_key.h"
#include "tests/support/trust/vectors.h"
#include "trust/signed/json.h"

using namespace crivet::trust;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

namespace {

constexpr char kMessage[] = "the bytes that were signed";

TimePoint Time(const char* text) { return ParseRfc3339(text).value(); }
const TimePoint kNow = Time("2026-11-24T12:00:00Z");

// One key of each kind for all tests: RSA keys take long to make.
const std::vector<SigningKey>& KeysOfEveryType() {
  static const std::vector<SigningKey> keys = [] {
    const auto ecdsa = SigningKey::Ecdsa();
    const auto rsa = SigningKey::Rsa();
    return std::vector<SigningKey>{
        ecdsa,
        SigningKey::Ecdsa("P-224"),
        SigningKey::Ecdsa("P-384"),
        SigningKey::Ecdsa("P-521"),
        ecdsa.SelfSigned({.common_names = {"docker.io/acme/web"}}),
        rsa,
        rsa.SelfSigned({.common_names = {"docker.io/acme/web"}}),
        SigningKey::Ed25519(),
    };
  }();
  return keys;
}

Result<PublicKey> Parse(const SigningKey& key) {
  return PublicKey::Parse(key.key_type(), key.base64_public());
}

bool IsMalformed(const Result<PublicKey>& key) {
  return !key.has_value() && key.error().reason == Reason::kMalformed;
}

bool IsGood(SignatureCheck check) { return check == SignatureCheck::kGood; }
bool IsBad(SignatureCheck check) { return check == SignatureCheck::kBad; }

}  // namespace

BOOST_AUTO_TEST_SUITE(KeyIdTest)

BOOST_AUTO_TEST_CASE(Parse_OtherThanLowerCaseHexOfFullLength_IsMalformed) {
  const std::string hex(64, 'a');
  BOOST_TEST(KeyId::Parse(hex)->ToString() == hex);
  for (const auto& text : {""s, hex.substr(1), hex + "a", std::string(64, 'A'), "sha256:" + hex,
                           "../" + hex.substr(3), hex.substr(1) + "\n"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((KeyId::Parse(text).error().reason == Reason::kMalformed));
    }
  }
  const auto id = KeyId::Parse(hex).value();
  BOOST_TEST(std::unordered_set<KeyId>({id, id}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(PublicKeyTest)

BOOST_AUTO_TEST_CASE(Parse_EveryType_HasTheIdOfNotarysFormula) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    BOOST_TEST_CONTEXT(signer.key_type()) {
      const auto key = Parse(signer);
      BOOST_REQUIRE(key.has_value());
      BOOST_TEST(NameOf(key->type()) == signer.key_type());
      BOOST_TEST(key->id().ToString() == signer.id());
      BOOST_TEST(key->certificates().size() == (signer.certificate_pem().empty() ? 0u : 1u));
    }
  }
}

BOOST_AUTO_TEST_CASE(CanonicalId_OfACertificate_IsTheIdOfItsPlainKey) {
  const auto plain = SigningKey::Ecdsa();
  const auto one = plain.SelfSigned({.common_names = {"docker.io/acme/web"}}).Parsed();
  const auto other = plain.SelfSigned({.common_names = {"docker.io/acme/api"}}).Parsed();
  BOOST_TEST((one.id() != other.id()));
  BOOST_TEST((one.canonical_id() == plain.Parsed().id()));
  BOOST_TEST((other.canonical_id() == plain.Parsed().id()));
  BOOST_TEST((plain.Parsed().canonical_id() == plain.Parsed().id()));
}

// What thresholds count: the same key under two types or two certificates is one.
BOOST_AUTO_TEST_CASE(SpkiSha256_SameKeyUnderTwoIds_IsTheSame) {
  const auto plain = SigningKey::Ecdsa();
  const auto certified = plain.SelfSigned({.common_names = {"a"}});
  BOOST_TEST((plain.Parsed().spki_sha256() == certified.Parsed().spki_sha256()));
  BOOST_TEST((plain.Parsed().spki_sha256() != SigningKey::Ecdsa().Parsed().spki_sha256()));
}

BOOST_AUTO_TEST_CASE(Verify_ByItsOwnKey_IsGood) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    BOOST_TEST_CONTEXT(signer.key_type()) {
      const auto key = signer.Parsed();
      BOOST_TEST(IsGood(key.Verify(signer.method(), signer.Sign(kMessage), kMessage)));
      BOOST_TEST(IsGood(key.Verify(signer.method(), signer.Sign(""), "")));
      if (signer.method() == "rsapss") {
        BOOST_TEST(
            IsGood(key.Verify("rsapkcs1v15", signer.Sign(kMessage, "rsapkcs1v15"), kMessage)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Verify_CanonicalFormOfAValue_IsTheSameMessage) {
  const auto document = JsonDocument::Parse(R"({ "b": 1, "a": "\u003c" })", {}).value();
  const std::string canonical = R"({"a":"<","b":1})";
  const SignedBytes message(document.root());
  BOOST_TEST(message.bytes() == canonical);
  for (const SigningKey& signer : KeysOfEveryType()) {
    BOOST_TEST_CONTEXT(signer.key_type()) {
      const std::string signature = signer.Sign(canonical);
      BOOST_TEST(IsGood(signer.Parsed().Verify(signer.method(), signature, message)));
    }
  }
}

BOOST_AUTO_TEST_CASE(Verify_MethodInAnotherCase_IsGood) {
  const auto ed25519 = SigningKey::Ed25519();
  BOOST_TEST(IsGood(ed25519.Parsed().Verify("EdDSA", ed25519.Sign(kMessage), kMessage)));
  const auto ecdsa = SigningKey::Ecdsa();
  BOOST_TEST(IsGood(ecdsa.Parsed().Verify("ECDSA", ecdsa.Sign(kMessage), kMessage)));
}

BOOST_AUTO_TEST_CASE(Verify_EveryBitOfTheSignatureFlipped_IsBad) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    const auto key = signer.Parsed();
    const std::string good = signer.Sign(kMessage);
    for (std::size_t i = 0; i < good.size(); i += 7) {
      std::string forged = good;
      forged[i] = static_cast<char>(forged[i] ^ 1 << (i % 8));
      BOOST_TEST_CONTEXT(signer.key_type() << " byte " << i) {
        BOOST_TEST(IsBad(key.Verify(signer.method(), forged, kMessage)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Verify_OtherMessageOrOtherKey_IsBad) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    BOOST_TEST_CONTEXT(signer.key_type()) {
      const std::string good = signer.Sign(kMessage);
      BOOST_TEST(IsBad(signer.Parsed().Verify(signer.method(), good, "another message")));
      BOOST_TEST(IsBad(signer.Parsed().Verify(signer.method(), good, "")));
    }
  }
  const auto a = SigningKey::Ecdsa();
  BOOST_TEST(IsBad(SigningKey::Ecdsa().Parsed().Verify("ecdsa", a.Sign(kMessage), kMessage)));
}

BOOST_AUTO_TEST_CASE(Verify_SignatureOfAnotherLength_IsBad) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    const auto key = signer.Parsed();
    const std::string good = signer.Sign(kMessage);
    for (const std::string& wrong :
         {""s, "\0"s, good.substr(1), good.substr(0, good.size() - 1), good + "\0"s, "\0"s + good,
          good + good, std::string(good.size(), '\0'), std::string(good.size(), '\xff'),
          std::string(1 << 16, '\x01')}) {
      BOOST_TEST_CONTEXT(signer.key_type() << " length " << wrong.size()) {
        BOOST_TEST(IsBad(key.Verify(signer.method(), wrong, kMessage)));
      }
    }
  }
}

// NCC-2015-1, CVE-2015-9258: the verifier must not be the attacker's choice.
BOOST_AUTO_TEST_CASE(Verify_MethodOfAnotherKeyType_IsBad) {
  const std::string methods[] = {"ecdsa",     "rsapss", "rsapkcs1v15", "eddsa",
                                 "",          "none",   "hmac",        "pycrypto-pkcs#1 pss",
                                 "ecdsa\0x"s, " ecdsa", "ecdsa ",      "ed25519"};
  for (const SigningKey& signer : KeysOfEveryType()) {
    const auto key = signer.Parsed();
    const std::string good = signer.Sign(kMessage);
    for (const std::string& method : methods) {
      if (method == signer.method()) continue;
      BOOST_TEST_CONTEXT(signer.key_type() << " with " << method) {
        BOOST_TEST(IsBad(key.Verify(method, good, kMessage)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Parse_KeyBytesUnderAnotherType_IsMalformed) {
  const std::string types[] = {"ecdsa", "ecdsa-x509", "rsa", "rsa-x509", "ed25519"};
  for (const SigningKey& signer : KeysOfEveryType()) {
    for (const std::string& type : types) {
      if (type == signer.key_type()) continue;
      BOOST_TEST_CONTEXT(signer.key_type() << " as " << type) {
        BOOST_TEST(IsMalformed(Parse(signer.CalledType(type))));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Parse_UnknownType_IsMalformed) {
  const auto key = SigningKey::Ecdsa();
  for (const auto& type : {""s, "ECDSA"s, "ecdsa "s, "ecdsa-sha2-nistp256"s, "dsa"s, "ecdsa\0"s}) {
    BOOST_TEST_CONTEXT(type) { BOOST_TEST(IsMalformed(Parse(key.CalledType(type)))); }
  }
}

BOOST_AUTO_TEST_CASE(Verify_PssSaltOtherThanThirtyTwoBytes_IsBad) {
  const SigningKey& rsa = KeysOfEveryType()[5];
  const auto key = rsa.Parsed();
  for (const int salt : {0, 20, 31, 33, 64, -2 /* the longest */}) {
    BOOST_TEST_CONTEXT(salt) {
      BOOST_TEST(IsBad(key.Verify("rsapss", rsa.Sign(kMessage, "rsapss", salt), kMessage)));
    }
  }
  BOOST_TEST(IsBad(key.Verify("rsapss", rsa.Sign(kMessage, "rsapkcs1v15"), kMessage)));
  BOOST_TEST(IsBad(key.Verify("rsapkcs1v15", rsa.Sign(kMessage, "rsapss"), kMessage)));
}

BOOST_AUTO_TEST_CASE(Parse_RsaKeyOutsideItsSizes_IsMalformed) {
  for (const unsigned bits : {1024u, 2047u}) {
    BOOST_TEST_CONTEXT(bits) { BOOST_TEST(IsMalformed(Parse(SigningKey::Rsa(bits)))); }
  }
  const auto short_key = SigningKey::Rsa(1024);
  BOOST_TEST(IsMalformed(Parse(short_key.SelfSigned({.common_names = {"a"}}))));
}

BOOST_AUTO_TEST_CASE(Parse_CurveThatGoLacks_IsMalformed) {
  for (const char* curve : {"secp256k1", "brainpoolP256r1", "prime192v1"}) {
    BOOST_TEST_CONTEXT(curve) { BOOST_TEST(IsMalformed(Parse(SigningKey::Ecdsa(curve)))); }
  }
}

BOOST_AUTO_TEST_CASE(Parse_DamagedBytes_IsMalformed) {
  for (const SigningKey& signer : KeysOfEveryType()) {
    const std::string good = signer.public_bytes();
    for (const std::string& wrong :
         {""s, "x"s, good.substr(1), good.substr(0, good.size() / 2), "\0"s + good}) {
      BOOST_TEST_CONTEXT(signer.key_type() << " length " << wrong.size()) {
        BOOST_TEST(IsMalformed(PublicKey::Parse(signer.key_type(), ToBase64(AsBytes(wrong)))));
      }
    }
    if (signer.certificate_pem().empty()) {
      BOOST_TEST(IsMalformed(PublicKey::Parse(signer.key_type(), ToBase64(AsBytes(good + "\0"s)))));
    }
    BOOST_TEST(IsMalformed(PublicKey::Parse(signer.key_type(), signer.base64_public() + "!")));
  }
}

// The same key in another encoding would have another ID and count twice.
BOOST_AUTO_TEST_CASE(Parse_CompressedPoint_IsMalformed) {
  const std::string spki = SigningKey::Ecdsa().public_bytes();
  const std::string x = spki.substr(27, 32);
  const bool odd = (spki.back() & 1) != 0;
  const std::string compressed =
      "\x30\x39\x30\x13"s + spki.substr(4, 19) + "\x03\x22\x00"s + (odd ? "\x03" : "\x02") + x;
  BOOST_TEST(IsMalformed(PublicKey::Parse("ecdsa", ToBase64(AsBytes(compressed)))));
}

// AlgorithmIdentifier without the NULL that belongs to RSA: readers take it for the same key.
BOOST_AUTO_TEST_CASE(Parse_RsaKeyWithoutParameters_IsMalformed) {
  const std::string spki = KeysOfEveryType()[5].public_bytes();
  BOOST_REQUIRE(spki.substr(0, 6) == "\x30\x82\x01\x22\x30\x0d"s);
  BOOST_REQUIRE(spki.substr(17, 2) == "\x05\x00"s);
  const std::string shorter = "\x30\x82\x01\x20\x30\x0b"s + spki.substr(6, 11) + spki.substr(19);
  BOOST_TEST(IsMalformed(PublicKey::Parse("rsa", ToBase64(AsBytes(shorter)))));
}

BOOST_AUTO_TEST_CASE(Parse_LengthInLongForm_IsMalformed) {
  const std::string spki = SigningKey::Ecdsa().public_bytes();
  const std::string longer = "\x30\x81"s + spki.substr(1);
  BOOST_TEST(IsMalformed(PublicKey::Parse("ecdsa", ToBase64(AsBytes(longer)))));
}

BOOST_AUTO_TEST_CASE(Parse_Ed25519KeyOfAnotherLength_IsMalformed) {
  for (const std::size_t size : {0u, 1u, 31u, 33u, 64u}) {
    BOOST_TEST_CONTEXT(size) {
      const std::string bytes(size, 'k');
      BOOST_TEST(IsMalformed(PublicKey::Parse("ed25519", ToBase64(AsBytes(bytes)))));
    }
  }
}

BOOST_AUTO_TEST_CASE(Parse_BeyondTheCaps_IsMalformed) {
  const auto key = SigningKey::Ecdsa().SelfSigned({.common_names = {"a"}});
  std::string pem;
  for (std::size_t i = 0; i < PublicKey::kMaxBundle; ++i) pem += key.certificate_pem();
  BOOST_TEST(Parse(key.WithBundle(pem)).has_value());
  BOOST_TEST(IsMalformed(Parse(key.WithBundle(pem + key.certificate_pem()))));
  BOOST_TEST(IsMalformed(
      Parse(key.WithBundle(key.certificate_pem() + std::string(PublicKey::kMaxPublicSize, '\n')))));
}

BOOST_AUTO_TEST_CASE(FailuresOfEveryKind_LeaveTheErrorQueueAsItWas) {
  ERR_clear_error();
  const auto key = SigningKey::Ecdsa();
  (void)key.Parsed().Verify("ecdsa", std::string(64, '\0'), kMessage);
  (void)PublicKey::Parse("ecdsa", "AAAA");
  (void)PublicKey::Parse("rsa-x509", "AAAA");
  (void)CertificateSet::Parse("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  BOOST_TEST(ERR_peek_error() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

// Files that the real client and server wrote (tests/data/notary/README.md).
BOOST_AUTO_TEST_SUITE(NotaryFixtureTest)

namespace {

using KeysById = std::map<std::string, PublicKey>;

void AddKeys(const std::optional<JsonValue>& keys, KeysById& to) {
  const JsonMembers members = keys.value().AsObject().value();
  for (const auto& [id, key] : members) {
    auto parsed = PublicKey::Parse(key.Find("keytype")->AsString().value(),
                                   key.Find("keyval")->Find("public")->AsString().value());
    BOOST_REQUIRE(parsed.has_value());
    to.emplace(std::string(id), *std::move(parsed));
  }
}

KeysById KeysOfTheRepository() {
  KeysById keys;
  const auto root = JsonDocument::Parse(ReadTestFile("notary/root.json"), {}).value();
  AddKeys(root.root().Find("signed")->Find("keys"), keys);
  const auto targets = JsonDocument::Parse(ReadTestFile("notary/targets.json"), {}).value();
  AddKeys(targets.root().Find("signed")->Find("delegations")->Find("keys"), keys);
  return keys;
}

}  // namespace

BOOST_AUTO_TEST_CASE(Id_OfEveryKey_IsTheNameThatNotaryGaveIt) {
  const auto keys = KeysOfTheRepository();
  BOOST_TEST(keys.size() == 6u);
  for (const auto& [name, key] : keys) BOOST_TEST(key.id().ToString() == name);
}

BOOST_AUTO_TEST_CASE(CanonicalId_OfEveryKey_IsWhatKeyListPrints) {
  std::set<std::string> canonical;
  for (const auto& [name, key] : KeysOfTheRepository()) {
    canonical.insert(key.canonical_id().ToString());
  }
  const auto lines = ReadTestLines("notary/key_list.txt");
  BOOST_TEST(lines.size() == 4u);
  for (const std::string& line : lines) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(canonical.count(line.substr(line.find(' ') + 1)) == 1u); }
  }
}

BOOST_AUTO_TEST_CASE(Verify_EveryFile_IsGoodOverItsCanonicalForm) {
  const auto keys = KeysOfTheRepository();
  std::set<std::string> methods;
  for (const char* name : {"root", "timestamp", "snapshot", "targets", "releases"}) {
    const auto file = JsonDocument::Parse(ReadTestFile("notary/"s + name + ".json"), {}).value();
    const std::string message = Canonical(file.root().Find("signed").value());
    const JsonElements signatures = file.root().Find("signatures")->AsArray().value();
    for (const JsonValue signature : signatures) {
      const auto method = signature.Find("method")->AsString().value();
      const auto bytes = FromBase64(signature.Find("sig")->AsString().value()).value();
      const PublicKey& key = keys.at(std::string(signature.Find("keyid")->AsString().value()));
      methods.emplace(method);
      BOOST_TEST_CONTEXT(name) {
        BOOST_TEST(IsGood(key.Verify(method, bytes, message)));
        BOOST_TEST(IsBad(key.Verify(method, bytes, message + " ")));
      }
    }
  }
  BOOST_TEST(methods == (std::set<std::string>{"ecdsa", "rsapss", "eddsa"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(CheckRootCertificate_OfTheRealRoot_Passes) {
  const std::string gun = "docker.io/acme/web";
  std::size_t certified = 0;
  const auto root = JsonDocument::Parse(ReadTestFile("notary/root.json"), {}).value();
  KeysById keys;
  AddKeys(root.root().Find("signed")->Find("keys"), keys);
  for (const auto& [name, key] : keys) {
    if (key.certificates().empty()) continue;
    ++certified;
    BOOST_TEST(CheckRootCertificate(key, gun, kNow, ExpiryCheck::kEnforce).has_value());
    BOOST_TEST(key.certificates().front().common_name() == "docker.io/acme/web");
    // Ten years later it is over.
    const auto late =
        CheckRootCertificate(key, gun, Time("2036-11-25T00:00:00Z"), ExpiryCheck::kEnforce);
    BOOST_REQUIRE(!late.has_value());
    BOOST_TEST((late.error().reason == Reason::kExpired));
  }
  BOOST_TEST(certified == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
