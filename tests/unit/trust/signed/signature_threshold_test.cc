// SPDX-License-Identifier: Apache-2.0

// The one place where signatures are counted.

#include "trust/signed/signature_threshold.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/trust/signing_key.h"
#include "tests/support/trust/signing_repository.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

const Json kContent = {{"_type", "Targets"}, {"version", 1}};
const std::string kMessage = CanonicalJson(kContent);

Envelope FileWith(const Json& signatures) {
  const std::string file = Json{{"signed", kContent}, {"signatures", signatures}}.dump();
  return Envelope::Parse(file, file.size(), Limits{}).value();
}

Json SignatureOf(const SigningKey& key) { return Json::parse(key.SignatureJson(kMessage)); }

Envelope FileSignedBy(const std::vector<SigningKey>& keys) {
  Json signatures = Json::array();
  for (const SigningKey& key : keys) signatures.push_back(SignatureOf(key));
  return FileWith(signatures);
}

AuthorizedKeys Role(const std::vector<SigningKey>& keys, std::size_t threshold = 1) {
  AuthorizedKeys authorized;
  authorized.threshold = threshold;
  for (const SigningKey& key : keys) authorized.keys.emplace(key.Parsed().id(), key.Parsed());
  return authorized;
}

void CheckRefused(const Envelope& file, const AuthorizedKeys& role, Reason reason) {
  const auto signers = VerifySignatures(file, role);
  BOOST_REQUIRE(!signers);
  BOOST_TEST(CodeOf(signers.error().reason) == CodeOf(reason), signers.error().detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(SignatureThresholdTest)

BOOST_AUTO_TEST_CASE(EveryKeyType_Verifies) {
  CertificateRequest request;
  request.common_names = {"docker.io/acme/web"};
  for (const SigningKey& key :
       {SigningKey::Ecdsa("P-224"), SigningKey::Ecdsa("P-256"), SigningKey::Ecdsa("P-384"),
        SigningKey::Ecdsa("P-521"), SigningKey::Rsa(), SigningKey::Ed25519(),
        SigningKey::Ecdsa().SelfSigned(request), SigningKey::Rsa().SelfSigned(request)}) {
    const auto signers = VerifySignatures(FileSignedBy({key}), Role({key}));
    BOOST_REQUIRE_MESSAGE(signers, key.key_type());
    BOOST_TEST((*signers == std::set<KeyId>{key.Parsed().id()}));
  }
}

BOOST_AUTO_TEST_CASE(Signers_AreExactlyThoseThatVerify) {
  const SigningKey a = SigningKey::Ecdsa();
  const SigningKey b = SigningKey::Ecdsa();
  const SigningKey absent = SigningKey::Ecdsa();
  const SigningKey stranger = SigningKey::Ecdsa();
  const auto signers = VerifySignatures(FileSignedBy({b, stranger, a}), Role({a, b, absent}, 2));
  BOOST_REQUIRE(signers);
  BOOST_TEST((*signers == std::set<KeyId>{a.Parsed().id(), b.Parsed().id()}));
}

BOOST_AUTO_TEST_CASE(NoSignature_IsSignature) {
  CheckRefused(FileSignedBy({}), Role({SigningKey::Ecdsa()}), Reason::kSignature);
}

BOOST_AUTO_TEST_CASE(OnlyStrangersSigned_IsSignature) {
  CheckRefused(FileSignedBy({SigningKey::Ecdsa()}), Role({SigningKey::Ecdsa()}),
               Reason::kSignature);
}

BOOST_AUTO_TEST_CASE(FewerThanTheThreshold_IsThreshold) {
  const SigningKey a = SigningKey::Ecdsa();
  const SigningKey b = SigningKey::Ecdsa();
  CheckRefused(FileSignedBy({a}), Role({a, b}, 2), Reason::kThreshold);
}

BOOST_AUTO_TEST_CASE(OneSignatureManyTimes_CountsOnce) {
  // CVE-2020-6174, CVE-2020-15093: the same bytes, and two signatures of one key.
  const SigningKey a = SigningKey::Ecdsa();
  const SigningKey b = SigningKey::Ecdsa();
  CheckRefused(FileWith({SignatureOf(a), SignatureOf(a), SignatureOf(a)}), Role({a, b}, 2),
               Reason::kThreshold);
}

BOOST_AUTO_TEST_CASE(OneSignatureUnderAnotherId_CountsOnce) {
  const SigningKey a = SigningKey::Ecdsa();
  const SigningKey b = SigningKey::Ecdsa();
  Json as_b = SignatureOf(a);
  as_b["keyid"] = b.id();
  CheckRefused(FileWith({SignatureOf(a), as_b}), Role({a, b}, 2), Reason::kThreshold);
}

BOOST_AUTO_TEST_CASE(OnePublicKeyUnderTwoIds_CountsOnce) {
  const SigningKey plain = SigningKey::Ecdsa();
  CertificateRequest request;
  request.common_names = {"docker.io/acme/web"};
  const SigningKey certified = plain.SelfSigned(request);
  BOOST_REQUIRE(plain.id() != certified.id());
  const Envelope file = FileSignedBy({plain, certified});
  CheckRefused(file, Role({plain, certified}, 2), Reason::kThreshold);
  // Both IDs are signers all the same: a pin may name either.
  BOOST_TEST(VerifySignatures(file, Role({plain, certified}, 1))->size() == 2u);
}

BOOST_AUTO_TEST_CASE(BadSignatureBeforeAGoodOne_DoesNotHideIt) {
  const SigningKey a = SigningKey::Ecdsa();
  Json bad = SignatureOf(a);
  bad["sig"] = ToBase64(AsBytes(std::string(64, 'x')));
  BOOST_TEST(VerifySignatures(FileWith(Json::array({bad, SignatureOf(a)})), Role({a})).has_value());
}

BOOST_AUTO_TEST_CASE(MethodOfAnotherKeyType_IsRefused) {
  // CVE-2015-9258: the method in the file must not choose the verifier.
  const std::vector<SigningKey> keys = {SigningKey::Ecdsa(), SigningKey::Rsa(),
                                        SigningKey::Ed25519()};
  for (const SigningKey& key : keys) {
    for (const char* method : {"ecdsa", "rsapss", "eddsa", "pycrypto-pkcs#1 pss", "none", ""}) {
      if (key.method() == method) continue;
      Json signature = SignatureOf(key);
      signature["method"] = method;
      CheckRefused(FileWith(Json::array({signature})), Role({key}), Reason::kSignature);
    }
  }
}

BOOST_AUTO_TEST_CASE(MethodInUpperCase_IsTheSameMethod) {
  const SigningKey key = SigningKey::Ed25519();
  Json signature = SignatureOf(key);
  signature["method"] = "EdDSA";
  BOOST_TEST(VerifySignatures(FileWith(Json::array({signature})), Role({key})).has_value());
}

BOOST_AUTO_TEST_CASE(OneBitOfContent_IsSignature) {
  const SigningKey key = SigningKey::Ecdsa();
  const std::string file = Json{
      {"signed", {{"_type", "Targets"}, {"version", 2}}},
      {"signatures",
       {SignatureOf(key)}}}.dump();
  CheckRefused(Envelope::Parse(file, file.size(), Limits{}).value(), Role({key}),
               Reason::kSignature);
}

BOOST_AUTO_TEST_CASE(ThresholdOfNothing_IsRefused) {
  const SigningKey key = SigningKey::Ecdsa();
  CheckRefused(FileSignedBy({}), Role({key}, 0), Reason::kSignature);
  BOOST_TEST(!VerifySignatures(FileSignedBy({key}), Role({key}, 0)));
  BOOST_TEST(!VerifySignatures(FileSignedBy({key}), Role({}, 0)));
}

BOOST_AUTO_TEST_CASE(KeyIdsThatNoKeyCanHave_AreSkipped) {
  const SigningKey key = SigningKey::Ecdsa();
  Json odd = SignatureOf(key);
  for (const char* id : {"", "abc", "../../root"}) {
    odd["keyid"] = id;
    BOOST_TEST(
        VerifySignatures(FileWith(Json::array({odd, SignatureOf(key)})), Role({key})).has_value());
    CheckRefused(FileWith(Json::array({odd})), Role({key}), Reason::kSignature);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
