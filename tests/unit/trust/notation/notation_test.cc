// SPDX-License-Identifier: Apache-2.0

// What the vectors (sigstore_vectors) do not reach: CBOR that could be written in a second way,
// every byte of a good envelope changed, identities.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/notation/attributes.h"
#include "trust/notation/cbor.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/parse_envelope.h"
#include "trust/notation/trusted_identity.h"

namespace crivet::trust::notation {
namespace {

const std::string kFolder = std::string(CRIVET_TEST_DATA) + "/sigstore/";

std::string Read(const std::string& name) {
  std::ifstream in(kFolder + name, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(in, "cannot read " << name);
  return {std::istreambuf_iterator<char>(in), {}};
}

WantedImage TheImage() {
  return {.digest = *Sha256Digest::Parse(
              "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4"),
          .size = 417,
          .media_type = "application/vnd.oci.image.manifest.v1+json"};
}

SignatureResult<ImageSignature> Verify(std::string_view media_type, const std::string& bytes) {
  const auto envelope = ParseEnvelope(media_type, bytes);
  if (!envelope) return tl::unexpected(envelope.error());
  ImageDemand demand;
  demand.authorities = *CertificateSet::Parse(Read("trust/notation/ca-acme.pem"));
  demand.identities.push_back(*TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme"));
  return VerifyEnvelope(*envelope, TheImage(), demand, *ParseRfc3339("2026-11-28T20:00:00Z"));
}

struct CborRow {
  const char* name;
  const char* hex;
  bool good;
};
std::ostream& operator<<(std::ostream& out, const CborRow& row) { return out << row.name; }
const CborRow kCbor[] = {
    {"zero", "00", true},
    {"-1", "20", true},
    {"24", "1818", true},
    {"23 in two bytes", "1817", false},
    {"255 in three bytes", "1900ff", false},
    {"2^63 - 1", "1b7fffffffffffffff", true},
    {"2^63", "1b8000000000000000", false},
    {"empty bytes", "40", true},
    {"bytes that claim 2^40", "5b000001000000000000", false},
    {"array that claims 2^40", "9b0000010000000000", false},
    {"indefinite bytes", "5f4100ff", false},
    {"indefinite array", "9fff", false},
    {"reserved length", "1c", false},
    {"text", "626869", true},
    {"text that is not UTF-8", "62c328", false},
    {"overlong text", "62c080", false},
    {"surrogate in a text", "63eda080", false},
    {"map", "a10102", true},
    {"the same key twice", "a201020103", false},
    {"bytes as a key", "a1410102", false},
    {"tag 1", "c11a5d000000", true},
    {"tag 2", "c24100", false},
    {"null", "f6", false},
    {"true", "f5", false},
    {"half float", "f90000", false},
    {"bytes behind", "0000", false},
    {"nothing", "", false},
    {"eight arrays deep", "818181818181818100", false},
    {"seven arrays deep", "8181818181818100", true},
};

BOOST_AUTO_TEST_SUITE(NotationTest)

BOOST_DATA_TEST_CASE(Cbor_HasOneSpelling, kCbor, row) {
  const auto bytes = FromHex(row.hex);
  BOOST_REQUIRE(bytes);
  BOOST_CHECK_EQUAL(ReadCbor(*bytes).has_value(), row.good);
}

BOOST_AUTO_TEST_CASE(Cbor_ValuesAreCapped) {
  std::string array("\x99\x03\xff", 3);
  array.append(1023, '\0');
  BOOST_CHECK(ReadCbor(array));
  std::string larger("\x99\x04\x00", 3);
  larger.append(1024, '\0');
  BOOST_CHECK(!ReadCbor(larger));
}

BOOST_AUTO_TEST_CASE(AnyBitOfAGoodCoseEnvelope_Flipped_RefusesIt_OrIsNotSigned) {
  const std::string good = Read("notation/envelopes/nota-cose-good.cose");
  BOOST_REQUIRE(Verify(kCoseMediaType, good));
  // What nobody signs: the text of the signing agent.
  const auto agent = good.find("crivet-vectors");
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      if (!Verify(kCoseMediaType, changed)) continue;
      ++accepted;
      const auto label = good.find("io.cncf.notary.signingAgent");
      const bool in_agent = (i >= label && i < label + 27) || (i >= agent && i < agent + 16);
      BOOST_CHECK_MESSAGE(in_agent, "byte " << i << " changed is accepted");
    }
  }
  BOOST_CHECK_GT(accepted, 0U);
}

BOOST_AUTO_TEST_CASE(AnyByteOfAGoodJwsEnvelope_Changed_RefusesIt_OrIsNotSigned) {
  const std::string good = Read("notation/envelopes/nota-jws-good.jws");
  BOOST_REQUIRE(Verify(kJwsMediaType, good));
  const auto label = good.find("io.cncf.notary.signingAgent");
  const auto end = good.find('"', good.find(":\"", label) + 2);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == good || (i >= label && i <= end)) continue;
    BOOST_CHECK_MESSAGE(!Verify(kJwsMediaType, changed), "byte " << i << " changed is accepted");
  }
}

BOOST_AUTO_TEST_CASE(EnvelopeOfAnotherType_IsMalformed) {
  const std::string jws = Read("notation/envelopes/nota-jws-good.jws");
  BOOST_CHECK(!Verify(kCoseMediaType, jws));
  BOOST_CHECK(!Verify("application/json", jws));
}

struct IdentityRow {
  const char* text;
  bool good;
};
std::ostream& operator<<(std::ostream& out, const IdentityRow& row) { return out << row.text; }
const IdentityRow kIdentities[] = {
    {"*", true},
    {"x509.subject: C=CH, ST=ZH, O=Acme", true},
    {"x509.subject:C=CH,ST=ZH,O=Acme\\, Inc.", true},
    {"x509.subject: C=CH, ST=ZH", false},
    {"x509.subject: C=CH, ST=ZH, O=Acme, O=Evil", false},
    {"x509.subject: C=CH, ST=ZH, O=", false},
    {"x509.subject: C=CH, ST=ZH, O=Acme, CN", false},
    {"x509.subject: C=CH, ST=ZH, O=a\\zz", false},
    {"C=CH, ST=ZH, O=Acme", false},
    {"", false},
};

BOOST_DATA_TEST_CASE(Identity_IsReadStrictly, kIdentities, row) {
  BOOST_CHECK_EQUAL(TrustedIdentity::Parse(row.text).has_value(), row.good);
}

// A timestamp proves that a signature was there by then. It is not signed: anybody gets a later one
// for the same signature, and puts it there.
BOOST_AUTO_TEST_CASE(AnOldSignature_StampedAnewByAnybody_StaysOld) {
  ImageDemand demand;
  demand.authorities = *CertificateSet::Parse(Read("trust/notation/ca-acme.pem"));
  demand.timestamp_authorities = *CertificateSet::Parse(Read("trust/notation/tsa-acme.pem") +
                                                        Read("notation/restamped/tsa.pem"));
  demand.identities.push_back(*TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme"));
  std::vector<TimePoint> times;
  for (const char* file :
       {"notation/envelopes/nota-jws-tsa-good.jws", "notation/restamped/signature.jws"}) {
    const auto envelope = ParseEnvelope("application/jose+json", Read(file));
    BOOST_REQUIRE(envelope);
    const auto verified =
        VerifyEnvelope(*envelope, TheImage(), demand, *ParseRfc3339("2026-11-30T00:00:00Z"));
    BOOST_REQUIRE_MESSAGE(verified, (verified ? "" : verified.error().detail));
    BOOST_REQUIRE(verified->time);
    times.push_back(*verified->time);
  }
  BOOST_TEST(FormatRfc3339(times[0]) == FormatRfc3339(times[1]));
}

BOOST_AUTO_TEST_CASE(ATimestamp_WhoseClockMayBeWeeksOff_ProvesNothing) {
  ImageDemand demand;
  demand.authorities = *CertificateSet::Parse(Read("trust/notation/ca-acme.pem"));
  demand.timestamp_authorities = *CertificateSet::Parse(Read("notation/restamped/tsa.pem"));
  demand.identities.push_back(*TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme"));
  const auto envelope =
      ParseEnvelope("application/jose+json", Read("notation/restamped/inaccurate.jws"));
  BOOST_REQUIRE(envelope);
  const auto verified =
      VerifyEnvelope(*envelope, TheImage(), demand, *ParseRfc3339("2026-11-30T00:00:00Z"));
  BOOST_REQUIRE(!verified);
  BOOST_CHECK(verified.error().reason == SignatureReason::kTimestamp);
}

BOOST_AUTO_TEST_CASE(Identity_IsASubsetOfTheSubject) {
  const auto identity = TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme\\, Inc.");
  BOOST_REQUIRE(identity);
  const std::vector<NameAttribute> subject = {
      {"C", "CH"}, {"ST", "ZH"}, {"O", "Acme, Inc."}, {"CN", "signer"}};
  BOOST_CHECK(identity->Accepts(subject));
  BOOST_CHECK(!identity->Accepts({{"C", "CH"}, {"ST", "ZH"}, {"CN", "signer"}}));
  BOOST_CHECK(!identity->Accepts({{"C", "CH"}, {"ST", "ZH"}, {"O", "Acme"}}));
}

// An authority may let a subject have more than it was asked for: whose attribute is it?
BOOST_AUTO_TEST_CASE(Identity_ThatASubjectHasTwice_IsNobodys) {
  const auto identity = TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme, CN=release");
  BOOST_REQUIRE(identity);
  const std::vector<NameAttribute> subject = {{"C", "CH"},       {"ST", "ZH"}, {"O", "Acme"},
                                              {"CN", "release"}, {"OU", "a"},  {"OU", "b"}};
  BOOST_CHECK(identity->Accepts(subject));
  for (const NameAttribute& more :
       {NameAttribute{"O", "Evil"}, NameAttribute{"CN", "thief"}, NameAttribute{"C", "CH"}}) {
    std::vector<NameAttribute> twice = subject;
    twice.push_back(more);
    BOOST_CHECK_MESSAGE(!identity->Accepts(twice), more.type << " twice, behind");
    twice.insert(twice.begin(), more);
    twice.pop_back();
    BOOST_CHECK_MESSAGE(!identity->Accepts(twice), more.type << " twice, before");
  }
}

struct CriticalRow {
  const char* name;
  std::vector<std::string> critical;
  bool good;
};
std::ostream& operator<<(std::ostream& out, const CriticalRow& row) { return out << row.name; }
const std::string kScheme = "io.cncf.notary.signingScheme";
const std::string kEnds = "io.cncf.notary.expiry";
const CriticalRow kCritical[] = {
    {"both", {kScheme, kEnds}, true},
    {"the other order", {kEnds, kScheme}, true},
    {"nothing", {}, false},
    {"the scheme alone", {kScheme}, false},
    {"the expiry alone", {kEnds}, false},
    {"the scheme twice", {kScheme, kScheme}, false},
    {"both, and the scheme again", {kScheme, kEnds, kScheme}, false},
    {"an algorithm, too", {kScheme, kEnds, "alg"}, false},
    {"what is not there", {kScheme, kEnds, "io.cncf.notary.authenticSigningTime"}, false},
    {"in capitals", {"IO.CNCF.NOTARY.SIGNINGSCHEME", kEnds}, false},
    {"a plugin", {kScheme, kEnds, "io.cncf.notary.verificationPlugin"}, false},
};

// Notary Project specification, "signed attributes"; RFC 7515 4.1.11.
BOOST_DATA_TEST_CASE(Critical_IsWhatIsThere_EachOnce_AndNothingElse, kCritical, row) {
  SignedAttributes attributes;
  attributes.content_type = "application/vnd.cncf.notary.payload.v1+json";
  attributes.scheme = "notary.x509";
  attributes.signing_time = *ParseRfc3339("2026-11-28T20:00:00Z");
  attributes.expiry = *ParseRfc3339("2026-11-29T20:00:00Z");
  attributes.critical = row.critical;
  const auto envelope = ParseEnvelope(kJwsMediaType, Read("notation/envelopes/nota-jws-good.jws"));
  BOOST_REQUIRE(envelope);
  Envelope into = *envelope;
  BOOST_CHECK_EQUAL(Apply(attributes, into).has_value(), row.good);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::notation
