// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/small_sigstore.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::sigstore {
namespace {

using Json = nlohmann::json;

constexpr char kTokenIssuer[] = "https://token.test";
constexpr char kSubject[] = "https://git.test/shop/release.yml";
constexpr char kPayloadType[] = "application/vnd.in-toto+json";

const std::chrono::hours kYears{24 * 365 * 5};

WantedImage ImageOfTheTest() {
  return {.digest = Sha256Digest(Sha256Of("the image")),
          .repository = "r.test/shop",
          .tag = std::nullopt};
}

std::string StatementText(const std::string& predicate_of) {
  return Json{{"_type", "https://in-toto.io/Statement/v1"},
              {"predicateType", "https://sigstore.dev/cosign/sign/v1"},
              {"predicate", {{"of", predicate_of}}},
              {"subject", Json::array({Json{{"digest", {{"sha256", HexSha256("the image")}}}}})}}
      .dump();
}

CertificateWish AuthorityWish(const std::string& name, TimePoint at, const std::string& purposes) {
  return {.name = name,
          .from = at - kYears,
          .until = at + kYears,
          .role = CertificateWish::Role::kAuthority,
          .purposes = purposes};
}

}  // namespace

std::string SignedStatement::Covered() const {
  return Envelope{kPayloadType, payload, signature}.Signed();
}

std::string SignedStatement::SignerPem() const {
  return certificate.empty() ? key.Pem() : PemOf({key, certificate});
}

SignedStatement SignedStatement::SignedAgain() const {
  SignedStatement again = *this;
  again.signature = key.Sign(Covered());
  return again;
}

Json HashOfIt(const SignedStatement& it) {
  return {{"data", {{"hash", {{"algorithm", "sha256"}, {"value", HexSha256(it.Covered())}}}}},
          {"signature",
           {{"content", Base64Of(it.signature)},
            {"publicKey", {{"content", Base64Of(it.SignerPem())}}}}}};
}

Json EnvelopeOfIt(const SignedStatement& it) {
  return {{"envelopeHash", {{"algorithm", "sha256"}, {"value", HexSha256("nobody has it")}}},
          {"payloadHash", {{"algorithm", "sha256"}, {"value", HexSha256(it.payload)}}},
          {"signatures", Json::array({Json{{"signature", Base64Of(it.signature)},
                                           {"verifier", Base64Of(it.SignerPem())}}})}};
}

Json StatementOfIt(const SignedStatement& it) {
  return {{"content",
           {{"envelope",
             {{"payloadType", kPayloadType},
              {"signatures", Json::array({Json{{"publicKey", Base64Of(it.SignerPem())},
                                               {"sig", Base64Of(Base64Of(it.signature))}}})}}},
            {"hash", {{"algorithm", "sha256"}, {"value", HexSha256("nobody has it")}}},
            {"payloadHash", {{"algorithm", "sha256"}, {"value", HexSha256(it.payload)}}}}}};
}

Json DigestOfIt(const SignedStatement& it) {
  Json verifier = {{"keyDetails", "PKIX_ECDSA_P256_SHA_256"}};
  const bool key = it.certificate.empty();
  verifier[key ? "publicKey" : "x509Certificate"] = {
      {"rawBytes", Base64Of(key ? it.key.Spki() : it.certificate)}};
  return {{"hashedRekordV002",
           {{"data", {{"algorithm", "SHA2_256"}, {"digest", Base64Of(RawSha256(it.Covered()))}}},
            {"signature", {{"content", Base64Of(it.signature)}, {"verifier", verifier}}}}}};
}

SmallSigstore::SmallSigstore()
    : signed_at(std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}),
      certificate_log{MadeKey::P256(), "ct.test"},
      log{MadeKey::P256(), "log.test"},
      tiles{MadeKey::P256(), "tiles.test"},
      authority(SelfSigned(AuthorityWish("authority", signed_at, ""))),
      intermediate(IssuedBy(authority, AuthorityWish("intermediate", signed_at, "codeSigning"))),
      stamping_authority(SelfSigned(AuthorityWish("stamps", signed_at, ""))),
      stamper(IssuedBy(stamping_authority, {.name = "stamper",
                                            .from = signed_at - kYears,
                                            .until = signed_at + kYears,
                                            .purposes = "critical,timeStamping"})),
      trusted(EmptyRoot()) {
  const MadePeriod long_time{signed_at - kYears, std::nullopt};
  trusted["tlogs"].push_back(LogOfRoot(log, long_time));
  trusted["tlogs"].push_back(LogOfRoot(tiles, long_time));
  trusted["ctlogs"].push_back(LogOfRoot(certificate_log, long_time));
  trusted["certificateAuthorities"].push_back(
      AuthorityOfRoot({intermediate, authority}, long_time));
  trusted["timestampAuthorities"].push_back(
      AuthorityOfRoot({stamper, stamping_authority}, long_time));
}

CertificateWish SmallSigstore::LeafWish() const {
  return {.from = signed_at,
          .until = signed_at + std::chrono::minutes{10},
          .subject = kSubject,
          .token_issuer = kTokenIssuer};
}

MadeCertificate SmallSigstore::Leaf() const {
  return LoggedAndIssuedBy(intermediate, LeafWish(), {{&certificate_log, signed_at}});
}

SignedStatement SmallSigstore::SignedUnder(const MadeCertificate& leaf,
                                           const std::string& predicate_of) const {
  SignedStatement it{StatementText(predicate_of), "", leaf.key, leaf.der};
  return it.SignedAgain();
}

SignedStatement SmallSigstore::SignedWith(const MadeKey& key) const {
  return SignedStatement{StatementText(""), "", key}.SignedAgain();
}

Json SmallSigstore::LogEntry(const SignedStatement& it) const {
  return log.Entry("dsse", "0.0.1", EnvelopeOfIt(it), signed_at);
}

Json SmallSigstore::TilesEntry(const SignedStatement& it) const {
  return tiles.Entry("hashedrekord", "0.0.2", DigestOfIt(it), std::nullopt);
}

std::string SmallSigstore::Timestamp(const SignedStatement& it) const {
  return MadeTimestamp(stamper, it.signature, signed_at);
}

Json SmallSigstore::BundleOf(const SignedStatement& it, const std::vector<Json>& entries,
                             const std::vector<std::string>& timestamps) {
  Json material = {{"tlogEntries", entries}};
  if (it.certificate.empty()) {
    material["publicKey"] = {{"hint", "none"}};
  } else {
    material["certificate"] = {{"rawBytes", Base64Of(it.certificate)}};
  }
  Json stamps = Json::array();
  for (const std::string& each : timestamps) {
    stamps.push_back({{"signedTimestamp", Base64Of(each)}});
  }
  material["timestampVerificationData"] = {{"rfc3161Timestamps", stamps}};
  return {{"mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json"},
          {"verificationMaterial", material},
          {"dsseEnvelope",
           {{"payload", Base64Of(it.payload)},
            {"payloadType", kPayloadType},
            {"signatures", Json::array({Json{{"sig", Base64Of(it.signature)}}})}}}};
}

ImageDemand SmallSigstore::IdentityDemand() const {
  ImageDemand demand;
  demand.signer.logs = 1;
  KeylessDemand keyless;
  keyless.identities.push_back(
      {TextPattern::Literally(kTokenIssuer), TextPattern::Literally(kSubject)});
  demand.signer.who = keyless;
  return demand;
}

std::string SmallSigstore::VerdictOf(const ImageDemand& demand, const Json& bundle) const {
  const auto read = Bundle::Parse(bundle.dump());
  if (!read) return std::string(CodeOf(read.error().reason));
  ImageDemand with_root = demand;
  auto root = TrustedRoot::Parse(trusted.dump());
  if (!root) return "no root";
  with_root.signer.root = *std::move(root);
  const auto verified = VerifyBundle(*read, ImageOfTheTest(), with_root);
  return verified ? "good" : std::string(CodeOf(verified.error().reason));
}

std::string SmallSigstore::Verdict(const Json& bundle) const {
  return VerdictOf(IdentityDemand(), bundle);
}

std::string SmallSigstore::VerdictFor(const MadeKey& key, const Json& bundle) const {
  ImageDemand demand;
  demand.signer.logs = 1;
  demand.signer.who = KeyDemand{{*VerificationKey::FromPem(key.Pem())}};
  return VerdictOf(demand, bundle);
}

}  // namespace crivet::trust::sigstore
