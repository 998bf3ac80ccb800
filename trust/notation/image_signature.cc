// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/image_signature.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "trust/notation/chain.h"
#include "trust/signed/first_good.h"
#include "trust/signed/json.h"
#include "trust/signed/timestamp_token.h"

namespace crivet::trust::notation {
namespace {

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

using registry_bound::Ageing;

// A refusal says the same at every time.
SignatureError OutOfItsTime(const Certificate& certificate) {
  return {SignatureReason::kTimestamp, "the certificate of " + certificate.subject() +
                                           " is valid from " +
                                           FormatRfc3339(certificate.not_before()) + " to " +
                                           FormatRfc3339(certificate.not_after()) + " alone"};
}

SignatureResult<void> CheckValidAt(const std::vector<Certificate>& chain, TimePoint time) {
  for (const Certificate& certificate : chain) {
    if (time < certificate.not_before() || certificate.not_after() < time) {
      return tl::unexpected(OutOfItsTime(certificate));
    }
  }
  return {};
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
    if (auto valid = CheckValidAt(envelope.chain, time); !valid) {
      return tl::unexpected(valid.error());
    }
  }
  return timestamp->time;
}

// When the chain has to hold, whether anybody proves it, and until when that counts.
struct ProvenTime {
  TimePoint at;
  std::optional<TimePoint> proven = {};
  std::optional<Ageing> ageing = {};
};

Ageing EndOf(const std::vector<Certificate>& chain) {
  const auto first = std::min_element(
      chain.begin(), chain.end(), [](auto& a, auto& b) { return a.not_after() < b.not_after(); });
  return {first->not_after(), OutOfItsTime(*first)};
}

SignatureResult<ProvenTime> CheckTime(const Envelope& envelope, const ImageDemand& demand,
                                      TimePoint now) {
  if (envelope.scheme == SigningScheme::kSigningAuthority) {
    const auto valid = CheckValidAt(envelope.chain, envelope.signing_time);
    if (!valid) return tl::unexpected(valid.error());
    return ProvenTime{envelope.signing_time, envelope.signing_time};
  }
  const auto valid_now = CheckValidAt(envelope.chain, now);
  if (!demand.timestamp_authorities.empty()) {
    const auto time = CheckTimestamp(envelope, demand);
    // Anybody gets a timestamp for an old signature; the signer's own word is under the signature.
    if (time) return ProvenTime{*time, std::min(*time, envelope.signing_time)};
    if (demand.timestamps == ImageDemand::Timestamps::kAlways || !valid_now) {
      return tl::unexpected(time.error());
    }
  }
  if (!valid_now) return tl::unexpected(valid_now.error());
  return ProvenTime{now, std::nullopt, EndOf(envelope.chain)};
}

// trust/notation/FORMAT.md#revocation
SignatureResult<std::optional<Ageing>> CheckRevocation(const std::vector<Certificate>& chain,
                                                       const std::vector<RevocationList>& lists,
                                                       TimePoint now) {
  std::optional<Ageing> first;
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const RevocationList* newest = nullptr;
    for (const RevocationList& list : lists) {
      if (newest != nullptr && list.this_update() <= newest->this_update()) continue;
      if (list.IsOf(chain[i + 1])) newest = &list;
    }
    if (newest == nullptr) {
      return RefuseSignature(SignatureReason::kRevocation,
                             "no revocation list of " + chain[i + 1].subject());
    }
    if (newest->Has(chain[i])) {
      return RefuseSignature(SignatureReason::kRevoked,
                             chain[i + 1].subject() + " has revoked " + chain[i].subject());
    }
    Ageing end{newest->next_update(),
               {SignatureReason::kRevocation, "the revocation list of " + chain[i + 1].subject() +
                                                  " was to be renewed by " +
                                                  FormatRfc3339(newest->next_update())}};
    if (now > end.until) return tl::unexpected(end.then);
    if (!first || end.until < first->until) first = std::move(end);
  }
  return first;
}

void Earlier(std::optional<Ageing>& ageing, std::optional<Ageing> other) {
  if (other && (!ageing || other->until < ageing->until)) ageing = std::move(other);
}

// What ages: the signed expiry, the time, revocation. `at` becomes when the chain has to hold.
SignatureResult<void> CheckAgeing(const Envelope& envelope, const ImageDemand& demand,
                                  TimePoint now, ImageSignature& signature, TimePoint& at) {
  if (envelope.expiry) {
    Ageing expiry{*envelope.expiry - std::chrono::seconds{1},
                  {SignatureReason::kSignatureExpired,
                   "the signature expired at " + FormatRfc3339(*envelope.expiry)}};
    if (now > expiry.until) return tl::unexpected(expiry.then);
    signature.ageing = std::move(expiry);
  }
  auto time = CheckTime(envelope, demand, now);
  if (!time) return tl::unexpected(time.error());
  at = time->at;
  signature.time = time->proven;
  Earlier(signature.ageing, std::move(time->ageing));
  if (!demand.revocations) return {};
  auto revocation = CheckRevocation(envelope.chain, *demand.revocations, now);
  if (!revocation) return tl::unexpected(revocation.error());
  Earlier(signature.ageing, *std::move(revocation));
  return {};
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

}  // namespace

SignatureResult<ImageSignature> VerifyEnvelope(const Envelope& envelope, const WantedImage& image,
                                               const ImageDemand& demand, TimePoint now) {
  if (auto shape = CheckShape(envelope.chain); !shape) return tl::unexpected(shape.error());
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
  // Not before: what strangers push costs a look.
  auto links = CheckLinks(envelope.chain, demand.known_chains.get());
  if (!links) return tl::unexpected(links.error());
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
  ImageSignature signature{.signer = leaf.subject(), .time = {}, .annotations = {}, .ageing = {}};
  TimePoint at = LatestBeginning(envelope.chain);
  if (demand.ageing == ImageDemand::Ageing::kEnforce) {
    auto holds = CheckAgeing(envelope, demand, now, signature, at);
    if (!holds) return tl::unexpected(holds.error());
  }
  const auto path = FindPathAlong(envelope.chain, anchors, at);
  if (!path) return tl::unexpected(path.error());
  auto annotations = ReadClaim(envelope.payload, image);
  if (!annotations) return tl::unexpected(annotations.error());
  signature.annotations = *std::move(annotations);
  if (demand.known_chains) demand.known_chains->Keep(envelope.chain);
  return signature;
}

bool IsSignatureType(std::string_view artifact_type) { return artifact_type == kArtifactType; }

std::vector<oci::Descriptor> EnvelopeLayers(const oci::Manifest& manifest,
                                            const Sha256Digest& image) {
  if (manifest.artifact_type != kArtifactType || manifest.subject != image ||
      manifest.layers.size() != 1) {
    return {};
  }
  return manifest.layers;
}

int StageOf(SignatureReason reason) {
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
    case SignatureReason::kRevocation:
      return 7;
    case SignatureReason::kRevoked:
      return 8;
    case SignatureReason::kDigestMismatch:
      return 9;
    default:
      return 0;
  }
}

SignatureResult<ImageSignature> Choose(std::vector<SignatureResult<ImageSignature>> signatures) {
  return FirstGood(std::move(signatures), StageOf);
}

}  // namespace crivet::trust::notation
