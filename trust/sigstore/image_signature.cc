// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/image_signature.h"

#include <algorithm>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/first_good.h"
#include "trust/signed/json.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::string_view kSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view kBundlePrefix = "application/vnd.dev.sigstore.bundle";
constexpr std::string_view kSignatureAnnotation = "dev.cosignproject.cosign/signature";
constexpr std::string_view kCertificateAnnotation = "dev.sigstore.cosign/certificate";
constexpr std::string_view kBundleAnnotation = "dev.sigstore.cosign/bundle";
constexpr std::string_view kTimestampAnnotation = "dev.sigstore.cosign/rfc3161timestamp";
constexpr std::size_t kMaxPayload = 1024 * 1024;
constexpr JsonLimits kAnnotationLimits{
    .max_bytes = 1024 * 1024, .max_depth = 16, .max_values = 1'000};

SignatureResult<ImageSignature> Accept(SignatureResult<Signer> signer, SignatureResult<Claim> claim,
                                       const WantedImage& image, const ImageDemand& demand) {
  if (!signer) return tl::unexpected(signer.error());
  if (!claim) return tl::unexpected(claim.error());
  if (auto added = demand.annotations.Check(claim->annotations, image.tag); !added) {
    return tl::unexpected(added.error());
  }
  return ImageSignature{*std::move(signer), *std::move(claim)};
}

std::string_view AnnotationOf(const oci::Descriptor& layer, std::string_view name) {
  const auto found = layer.annotations.find(name);
  return found == layer.annotations.end() ? std::string_view() : std::string_view(found->second);
}

// `{"SignedEntryTimestamp": B64, "Payload": {"body": B64, "integratedTime", "logIndex", "logID":
// hex}}`
SignatureResult<LogEntry> ReadLegacyEntry(std::string_view annotation) {
  const auto document = JsonDocument::Parse(annotation, kAnnotationLimits);
  if (!document) return tl::unexpected(document.error());
  const auto outer = MessageReader::Open(document->root(), "the bundle annotation");
  if (!outer) return tl::unexpected(outer.error());
  const auto payload_value = outer->Get("Payload");
  if (!payload_value) return tl::unexpected(payload_value.error());
  const auto payload = MessageReader::Open(*payload_value, "Payload");
  if (!payload) return tl::unexpected(payload.error());
  LogEntry entry;
  auto promise = outer->Bytes("SignedEntryTimestamp");
  if (!promise) return tl::unexpected(promise.error());
  entry.promise = *std::move(promise);
  auto body = payload->Bytes("body");
  if (!body) return tl::unexpected(body.error());
  entry.body = *std::move(body);
  const auto time = payload->Number("integratedTime");
  if (!time) return tl::unexpected(time.error());
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  if (*time > kYear9999) return payload->Wrong("integratedTime", "is beyond any time");
  entry.integrated = TimePoint(std::chrono::seconds(*time));
  const auto index = payload->Number("logIndex");
  if (!index) return tl::unexpected(index.error());
  entry.index = *index;
  const auto log_id = payload->Text("logID");
  if (!log_id) return tl::unexpected(log_id.error());
  auto id = FromHex(*log_id);
  if (!id) return payload->Wrong("logID", "is not lower-case hex");
  entry.log_id = *std::move(id);

  // The annotation does not say what kind of entry it is; its body does.
  const auto inner = JsonDocument::Parse(entry.body, kAnnotationLimits);
  if (!inner) return tl::unexpected(inner.error());
  const auto kinds = MessageReader::Open(inner->root(), "the log entry");
  if (!kinds) return tl::unexpected(kinds.error());
  auto kind = kinds->Text("kind");
  if (!kind) return tl::unexpected(kind.error());
  auto version = kinds->Text("apiVersion");
  if (!version) return tl::unexpected(version.error());
  entry.kind = *std::move(kind);
  entry.version = *std::move(version);
  return entry;
}

SignatureResult<std::string> ReadLegacyTimestamp(std::string_view annotation) {
  const auto document = JsonDocument::Parse(annotation, kAnnotationLimits);
  if (!document) return tl::unexpected(document.error());
  const auto reader = MessageReader::Open(document->root(), "the timestamp annotation");
  if (!reader) return tl::unexpected(reader.error());
  return reader->Bytes("SignedRFC3161Timestamp");
}

}  // namespace

SignatureResult<ImageSignature> VerifyBundle(const Bundle& bundle, const WantedImage& image,
                                             const ImageDemand& demand) {
  const auto* envelope = std::get_if<Envelope>(&bundle.content);
  if (envelope == nullptr) {
    return RefuseSignature(SignatureReason::kNotAnImageSignature,
                           "a signature over bytes, not over an image's statement");
  }
  const std::string covered = envelope->Signed();
  const SignatureToCheck signature{.certificate = std::get_if<Certificate>(&bundle.material),
                                   .signature = envelope->signature,
                                   .covered = covered,
                                   .payload = envelope->payload,
                                   .log_entries = &bundle.log_entries,
                                   .needs_proof = bundle.version == Bundle::Version::k01
                                                      ? NeedsProof::kPromiseSuffices
                                                      : NeedsProof::kProof,
                                   .timestamps = &bundle.timestamps};
  auto signer = VerifySigner(signature, demand.signer);
  if (!signer) return tl::unexpected(signer.error());
  return Accept(std::move(signer), ReadStatement(envelope->payload_type, envelope->payload, image),
                image, demand);
}

SignatureResult<ImageSignature> VerifyLegacy(const oci::Descriptor& layer, std::string_view payload,
                                             const WantedImage& image, const ImageDemand& demand) {
  if (payload.size() > kMaxPayload)
    return RefuseSignature(SignatureReason::kMalformed, "a payload over 1 MiB");
  if (Sha256Digest(Sha256Of(payload)) != layer.digest) {
    return RefuseSignature(SignatureReason::kHash, "the payload is not the layer's");
  }
  const auto base64 = AnnotationOf(layer, kSignatureAnnotation);
  const auto raw = FromBase64(base64);
  if (!raw || raw->empty())
    return RefuseSignature(SignatureReason::kMalformed, "a layer without a signature");

  std::optional<Certificate> certificate;
  if (const auto pem = AnnotationOf(layer, kCertificateAnnotation); !pem.empty()) {
    // The chain beside it is not read: a CA that came along anchors nothing.
    auto certificates = CertificateSet::Parse(pem, 1);
    if (!certificates) return tl::unexpected(certificates.error());
    certificate = certificates->certificates().front();
  }
  std::vector<LogEntry> entries;
  if (const auto text = AnnotationOf(layer, kBundleAnnotation); !text.empty()) {
    auto entry = ReadLegacyEntry(text);
    if (!entry) return tl::unexpected(entry.error());
    entries.push_back(*std::move(entry));
  }
  std::vector<std::string> timestamps;
  if (const auto text = AnnotationOf(layer, kTimestampAnnotation); !text.empty()) {
    if (auto timestamp = ReadLegacyTimestamp(text)) timestamps.push_back(*std::move(timestamp));
  }
  const SignatureToCheck signature{.certificate = certificate ? &*certificate : nullptr,
                                   .signature = *raw,
                                   .covered = payload,
                                   .payload = std::nullopt,
                                   .log_entries = &entries,
                                   .needs_proof = NeedsProof::kPromiseSuffices,
                                   .timestamps = &timestamps};
  auto signer = VerifySigner(signature, demand.signer);
  if (!signer) return tl::unexpected(signer.error());
  return Accept(std::move(signer), ReadSimpleSigning(payload, image), image, demand);
}

std::vector<oci::Descriptor> BundleLayers(const oci::Manifest& manifest,
                                          const Sha256Digest& image) {
  std::vector<oci::Descriptor> layers;
  if (manifest.subject != image) return layers;
  for (const oci::Descriptor& layer : manifest.layers) {
    if (layer.media_type.starts_with(kBundlePrefix)) layers.push_back(layer);
  }
  return layers;
}

std::vector<oci::Descriptor> LegacyLayers(const oci::Manifest& manifest) {
  std::vector<oci::Descriptor> layers;
  for (const oci::Descriptor& layer : manifest.layers) {
    if (layer.media_type == kSimpleSigning) layers.push_back(layer);
  }
  return layers;
}

int StageOf(SignatureReason reason) {
  switch (reason) {
    case SignatureReason::kMalformed:
      return 0;
    case SignatureReason::kAlgorithm:
      return 1;
    case SignatureReason::kSignature:
      return 2;
    case SignatureReason::kTransparencyLog:
      return 3;
    case SignatureReason::kTimestamp:
      return 4;
    case SignatureReason::kUntrustedRoot:
      return 5;
    case SignatureReason::kIdentity:
      return 6;
    case SignatureReason::kDigestMismatch:
      return 7;
    case SignatureReason::kNotAnImageSignature:
      return 8;
    case SignatureReason::kTooOld:
      return 9;
    default:
      return 0;
  }
}

SignatureResult<ImageSignature> Choose(std::vector<SignatureResult<ImageSignature>> signatures) {
  return FirstGood(std::move(signatures), StageOf);
}

}  // namespace crivet::trust::sigstore
