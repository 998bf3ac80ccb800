// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/claim.h"

#include <utility>

#include "trust/signed/json.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 1024 * 1024, .max_depth = 16, .max_values = 50'000};
constexpr std::size_t kMaxSubjects = 1024;
constexpr std::size_t kMaxAnnotations = 64;
constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";
constexpr std::string_view kImageSignature = "https://sigstore.dev/cosign/sign/v1";
constexpr std::string_view kSimpleSigningType = "cosign container image signature";

// Texts only: what a signer adds as another type cannot be asked for.
SignatureResult<Claim> ReadAnnotations(const std::optional<JsonValue>& value) {
  Claim claim;
  if (!value) return claim;
  const auto members = value->AsObject();
  if (!members)
    return RefuseSignature(SignatureReason::kMalformed, "annotations that are not an object");
  for (const JsonMember member : *members) {
    const auto text = member.value.AsString();
    if (!text) continue;
    if (claim.annotations.size() == kMaxAnnotations) {
      return RefuseSignature(SignatureReason::kMalformed, "more than 64 annotations");
    }
    claim.annotations.emplace(member.name, *text);
  }
  return claim;
}

// Subjects that are about something else are nobody's business, whatever their shape.
bool IsAbout(JsonValue subject, std::string_view hex) {
  const auto digest = subject.Find("digest");
  const auto sha256 = digest ? digest->Find("sha256") : std::nullopt;
  return sha256 && sha256->AsString() == hex;
}

SignatureResult<void> CheckDockerReference(std::string_view text, const WantedImage& image) {
  const auto refuse = [&](const std::string& found) {
    return RefuseSignature(SignatureReason::kIdentity, "docker-reference " + found);
  };
  const auto reference = ImageReference::Parse(text);
  if (!reference) return refuse("is not the name of an image");
  if (reference->repository() != image.repository) {
    return refuse("is " + reference->repository() + ", not " + image.repository);
  }
  if (reference->NamesOtherDigest() ||
      (reference->digest() && *reference->digest() != image.digest)) {
    return refuse("names another digest");
  }
  if (reference->tag() && reference->tag() != image.tag) return refuse("names another tag");
  return {};
}

}  // namespace

SignatureResult<Claim> ReadStatement(std::string_view payload_type, std::string_view payload,
                                     const WantedImage& image) {
  if (payload_type != kPayloadType) {
    return RefuseSignature(SignatureReason::kNotAnImageSignature,
                           "the envelope's payload is no in-toto statement");
  }
  const auto document = JsonDocument::Parse(payload, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto statement = MessageReader::Open(document->root(), "the statement");
  if (!statement) return tl::unexpected(statement.error());
  const auto type = statement->Text("_type");
  if (!type) return tl::unexpected(type.error());
  if (*type != "https://in-toto.io/Statement/v1" && *type != "https://in-toto.io/Statement/v0.1") {
    return statement->Wrong("_type", "is not a statement's");
  }
  const auto predicate = statement->Text("predicateType");
  if (!predicate) return tl::unexpected(predicate.error());
  if (*predicate != kImageSignature) {
    return RefuseSignature(SignatureReason::kNotAnImageSignature,
                           "an attestation, not an image's signature");
  }
  const auto subjects = statement->List("subject", kMaxSubjects);
  if (!subjects) return tl::unexpected(subjects.error());
  // Compared as text: a digest has one spelling.
  const std::string hex = ToHex(image.digest.bytes());
  for (const JsonValue subject : *subjects) {
    if (IsAbout(subject, hex)) return ReadAnnotations(subject.Find("annotations"));
  }
  return RefuseSignature(SignatureReason::kDigestMismatch, "the statement is not about this image");
}

SignatureResult<Claim> ReadSimpleSigning(std::string_view payload, const WantedImage& image) {
  const auto document = JsonDocument::Parse(payload, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto root =
      MessageReader::Closed(document->root(), "the payload", {"critical", "optional"});
  if (!root) return tl::unexpected(root.error());
  const auto critical_value = root->Get("critical");
  if (!critical_value) return tl::unexpected(critical_value.error());
  const auto critical =
      MessageReader::Closed(*critical_value, "critical", {"type", "identity", "image"});
  if (!critical) return tl::unexpected(critical.error());
  const auto type = critical->Text("type");
  if (!type) return tl::unexpected(type.error());
  if (*type != kSimpleSigningType) return critical->Wrong("type", "is not an image signature's");

  const auto image_value = critical->Get("image");
  if (!image_value) return tl::unexpected(image_value.error());
  const auto signed_image =
      MessageReader::Closed(*image_value, "critical.image", {"docker-manifest-digest"});
  if (!signed_image) return tl::unexpected(signed_image.error());
  const auto digest = signed_image->Text("docker-manifest-digest");
  if (!digest) return tl::unexpected(digest.error());
  if (*digest != image.digest.ToString()) {
    return RefuseSignature(SignatureReason::kDigestMismatch, "the payload is not about this image");
  }

  const auto identity_value = critical->Get("identity");
  if (!identity_value) return tl::unexpected(identity_value.error());
  const auto identity =
      MessageReader::Closed(*identity_value, "critical.identity", {"docker-reference"});
  if (!identity) return tl::unexpected(identity.error());
  const auto reference = identity->Text("docker-reference");
  if (!reference) return tl::unexpected(reference.error());
  if (auto same = CheckDockerReference(*reference, image); !same) {
    return tl::unexpected(same.error());
  }
  return ReadAnnotations(root->Find("optional"));
}

}  // namespace crivet::trust::sigstore
