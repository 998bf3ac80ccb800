// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/covered_bytes.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/trust/made_sigstore.h"

namespace crivet::trust {
namespace {

const std::string kCovered = "what somebody signed";

SignatureCheck CheckedOf(const CoveredBytes& covered, const sigstore::MadeKey& key,
                         const std::string& signature, SignatureScheme scheme,
                         HashAlgorithm hash = HashAlgorithm::kSha256) {
  return covered.CheckBy(*VerificationKey::FromSpki(key.Spki()), scheme, hash, signature);
}

BOOST_AUTO_TEST_SUITE(CoveredBytesTest)

BOOST_AUTO_TEST_CASE(OfAHash_DoesWhatTheBytesDo_AndNothingWithAnotherHash) {
  const CoveredBytes bytes(kCovered);
  const CoveredBytes hash = CoveredBytes::OfSha256(Sha256Of(kCovered));
  BOOST_CHECK(bytes.Hash(HashAlgorithm::kSha256) == hash.Hash(HashAlgorithm::kSha256));
  BOOST_CHECK(bytes.Hash(HashAlgorithm::kSha512) == HashOf(HashAlgorithm::kSha512, kCovered));
  BOOST_CHECK(!hash.Hash(HashAlgorithm::kSha384));
  BOOST_CHECK(!hash.Hash(HashAlgorithm::kSha512));

  const auto key = sigstore::MadeKey::P256();
  const std::string signature = key.Sign(kCovered);
  const auto ecdsa = SignatureScheme::kEcdsaDer;
  const CoveredBytes other = CoveredBytes::OfSha256(Sha256Of("something else"));
  BOOST_CHECK(CheckedOf(bytes, key, signature, ecdsa) == SignatureCheck::kGood);
  BOOST_CHECK(CheckedOf(hash, key, signature, ecdsa) == SignatureCheck::kGood);
  BOOST_CHECK(CheckedOf(other, key, signature, ecdsa) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, signature.substr(1), ecdsa) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, "", ecdsa) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, sigstore::MadeKey::P256(), signature, ecdsa) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, signature, ecdsa, HashAlgorithm::kSha512) ==
              SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, signature, SignatureScheme::kRsaPkcs1) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, signature, SignatureScheme::kEcdsaFixed) ==
              SignatureCheck::kBad);
}

// Ed25519 hashes the bytes itself, and not alone.
BOOST_AUTO_TEST_CASE(OfAHash_IsNothingToEd25519) {
  const auto key = sigstore::MadeKey::Ed25519();
  const std::string signature = key.Sign(kCovered);
  const std::string of_hash = key.Sign(*CoveredBytes(kCovered).Hash(HashAlgorithm::kSha256));
  const CoveredBytes hash = CoveredBytes::OfSha256(Sha256Of(kCovered));
  const auto scheme = SignatureScheme::kEd25519;
  BOOST_CHECK(CheckedOf(CoveredBytes(kCovered), key, signature, scheme) == SignatureCheck::kGood);
  BOOST_CHECK(CheckedOf(hash, key, signature, scheme) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, of_hash, scheme) == SignatureCheck::kBad);
  BOOST_CHECK(CheckedOf(hash, key, of_hash, SignatureScheme::kEcdsaDer) == SignatureCheck::kBad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
