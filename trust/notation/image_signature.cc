// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/image_signature.h"

#include <algorithm>
#include <utility>

#include "trust/notation/chain.h"
#include "trust/signed/first_good.h"
#include "trust/signed/json.h"
#include "trust/signed/timestamp_token.h"

namespace crivet::trust::notation {
namespace {

constexpr std::string_view kArtifactType = "application/vnd.cncf.notary.signature";
constexpr JsonLimits kPayloadLimits{
    .max_bytes = Envelope::kMaxSize, .max_depth = 16, .max_values = 10'000};

// Notary Project specification, "algorithm selection": the key leaves no choice.
SignatureResult<void> CheckAlgorithm(const Envelope& envelope, const VerificationKey& key) {
  using KeyAlgorithm = VerificationKey::Algorithm;
  std::optional<HashAlgorithm> hash;
  SignatureScheme scheme = SignatureScheme::kEcdsaFixed;
  switch (key.algorithm()) {
    case KeyAlgorithm::kP256:
      hash = HashAlgorithm::kSha256;
      break;
    case KeyAlgorithm::kP384:
      hash = HashAlgorithm::kSha384;
      break;
    case KeyAlgorithm::kP521:
      hash = HashAlgorithm::kSha512;
      break;
    case KeyAlgorithm::kRsa:
      scheme = SignatureScheme::kRsaPss;
      if (key.bits() == 2048) hash = HashAlgorithm::kSha256;
      if (key.bits() == 3072) hash = HashAlgorithm::kSha384;
      if (key.bits() == 4096) hash = HashAlgorithm::kSha512;
      break;
    case KeyAlgorithm::kEd25519:
      break;
  }
  if (!hash || envelope.hash != *hash || envelope.signature_scheme != scheme) {
    return RefuseSignature(SignatureReason::kAlgorithm,
                           "the algorithm is not the one of the signer's key");
  }
  return {};
}

tl::unexpected<SignatureError> NotValidAt(TimePoint time) {
  return RefuseSignature(SignatureReason::kTimestamp,
                         "a certificate of the chain is not valid at " + FormatRfc3339(time));
}

// The authorities' own word, in the token's certificates alone.
SignatureResult<TimePoint> CheckTimestamp(const Envelope& envelope, const ImageDemand& demand) {
  if (envelope.timestamp.empty()) {
    return RefuseSignature(SignatureReason::kTimestamp, "no timestamp, and the rule wants one");
  }
  const auto timestamp =
      VerifyTimestamp(envelope.timestamp, envelope.signature, {}, demand.timestamp_authorities);
  if (!timestamp) return tl::unexpected(timestamp.error());
  // Both ends of what the authority's clock can have meant.
  for (const TimePoint time :
       {timestamp->time - timestamp->accuracy, timestamp->time + timestamp->accuracy}) {
    if (!AllValidAt(envelope.chain, time)) return NotValidAt(time);
  }
  return timestamp->time;
}

// When the chain has to hold, and whether anybody proves it.
struct ProvenTime {
  TimePoint at;
  std::optional<TimePoint> proven;
};

SignatureResult<ProvenTime> CheckTime(const Envelope& envelope, const ImageDemand& demand,
                                      TimePoint now) {
  if (envelope.scheme == SigningScheme::kSigningAuthority) {
    if (!AllValidAt(envelope.chain, envelope.signing_time)) {
      return NotValidAt(envelope.signing_time);
    }
    return ProvenTime{envelope.signing_time, envelope.signing_time};
  }
  const bool valid_now = AllValidAt(envelope.chain, now);
  const bool wants_timestamp =
      !demand.timestamp_authorities.empty() &&
      (demand.timestamps == ImageDemand::Timestamps::kAlways || !valid_now);
  if (wants_timestamp) {
    const auto time = CheckTimestamp(envelope, demand);
    if (!time) return tl::unexpected(time.error());
    return ProvenTime{*time, *time};
  }
  if (!valid_now) return NotValidAt(now);
  return ProvenTime{now, std::nullopt};
}

SignatureResult<std::map<std::string, std::string, std::less<>>> ReadClaim(
    std::string_view payload, const WantedImage& image) {
  const auto document = JsonDocument::Parse(payload, kPayloadLimits);
  if (!document) return tl::unexpected(document.error());
  const auto artifact = document->root().Find("targetArtifact");
  if (!artifact)
    return RefuseSignature(SignatureReason::kMalformed, "a payload without targetArtifact");
  const auto text = [&](std::string_view name) {
    const auto member = artifact->Find(name);
    return member ? member->AsString() : std::nullopt;
  };
  const auto size = artifact->Find("size");
  const std::int64_t number = size ? size->AsInteger().value_or(-1) : -1;
  if (text("digest") != image.digest.ToString() || number < 0 ||
      static_cast<std::uint64_t>(number) != image.size || text("mediaType") != image.media_type) {
    return RefuseSignature(SignatureReason::kDigestMismatch, "the payload is not about this image");
  }
  std::map<std::string, std::string, std::less<>> annotations;
  const auto member = artifact->Find("annotations");
  const auto members = member ? member->AsObject() : std::nullopt;
  if (!members) return annotations;
  constexpr std::size_t kMaxAnnotations = 64;
  for (const JsonMember annotation : *members) {
    const auto value = annotation.value.AsString();
    if (!value) continue;
    if (annotations.size() == kMaxAnnotations) {
      return RefuseSignature(SignatureReason::kMalformed, "more than 64 annotations");
    }
    annotations.emplace(annotation.name, *value);
  }
  return annotations;
}

// How far a check got before it refused; see Choose.
int Stage(SignatureReason reason) {
  switch (reason) {
    case SignatureReason::kAlgorithm:
      return 1;
    case SignatureReason::kUntrustedRoot:
      return 2;
    case SignatureReason::kSignature:
      return 3;
    case SignatureReason::kIdentity:
      return 4;
    case SignatureReason::kSignatureExpired:
      return 5;
    case SignatureReason::kTimestamp:
      return 6;
    case SignatureReason::kDigestMismatch:
      return 7;
    default:
      return 0;
  }
}

}  // namespace

SignatureResult<ImageSignature> VerifyEnvelope(const Envelope& envelope, const WantedImage& image,
                                               const ImageDemand& demand, TimePoint now) {
  if (auto shape = CheckChain(envelope.chain); !shape) return tl::unexpected(shape.error());
  const Certificate& leaf = envelope.chain.front();
  const auto key = VerificationKey::Of(leaf);
  if (!key) return tl::unexpected(key.error());
  if (auto fits = CheckAlgorithm(envelope, *key); !fits) return tl::unexpected(fits.error());

  // Authenticity: an authority's store does not speak for signers, nor the other way round.
  const CertificateSet& store =
      envelope.scheme == SigningScheme::kX509 ? demand.authorities : demand.signing_authorities;
  const auto anchors = AnchorsIn(envelope.chain, store);
  if (anchors.empty()) {
    return RefuseSignature(SignatureReason::kUntrustedRoot,
                           "no certificate of the chain is in the trust store");
  }
  if (key->Verify(envelope.signature_scheme, envelope.hash, envelope.signature, envelope.covered) !=
      SignatureCheck::kGood) {
    return RefuseSignature(SignatureReason::kSignature,
                           "the signature does not verify with the leaf's key");
  }
  const auto subject = SubjectOf(leaf);
  if (!subject) return tl::unexpected(subject.error());
  const bool wanted = std::any_of(demand.identities.begin(), demand.identities.end(),
                                  [&](const auto& it) { return it.Accepts(*subject); });
  if (!wanted) {
    return RefuseSignature(SignatureReason::kIdentity,
                           "signed by " + leaf.subject() + ", which is not wanted");
  }
  ImageSignature signature{.signer = leaf.subject(), .time = {}, .annotations = {}};
  TimePoint at = LatestBeginning(envelope.chain);
  if (demand.ageing == ImageDemand::Ageing::kEnforce) {
    if (envelope.expiry && *envelope.expiry <= now) {
      return RefuseSignature(SignatureReason::kSignatureExpired,
                             "the signature expired at " + FormatRfc3339(*envelope.expiry));
    }
    const auto time = CheckTime(envelope, demand, now);
    if (!time) return tl::unexpected(time.error());
    at = time->at;
    signature.time = time->proven;
  }
  const auto path = FindPath(leaf, {envelope.chain.begin() + 1, envelope.chain.end()}, anchors, at);
  if (!path) return tl::unexpected(path.error());
  auto annotations = ReadClaim(envelope.payload, image);
  if (!annotations) return tl::unexpected(annotations.error());
  signature.annotations = *std::move(annotations);
  return signature;
}

std::vector<oci::Descriptor> EnvelopeLayers(const oci::Manifest& manifest,
                                            const Sha256Digest& image) {
  if (manifest.artifact_type != kArtifactType || manifest.subject != image ||
      manifest.layers.size() != 1) {
    return {};
  }
  return manifest.layers;
}

SignatureResult<ImageSignature> Choose(std::vector<SignatureResult<ImageSignature>> signatures) {
  return FirstGood(std::move(signatures), Stage);
}

}  // namespace crivet::trust::notation
