// SPDX-License-Identifier: Apache-2.0
#include "trust/oci/manifest.h"

#include <utility>

#include "trust/signed/json.h"

namespace crivet::trust::oci {
namespace {

constexpr std::size_t kMaxDocument = 4 * 1024 * 1024;
constexpr std::size_t kMaxAnnotations = 64;
// What has too many descriptors shall be told from what is no manifest: the size alone bounds it.
constexpr JsonLimits kLimits{
    .max_bytes = kMaxDocument, .max_depth = 16, .max_values = kMaxDocument};

tl::unexpected<Error> Malformed(std::string detail) {
  return Fail(Reason::kMalformed, std::move(detail));
}

std::string TextOf(JsonValue object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member) return {};
  return std::string(member->AsString().value_or(std::string_view()));
}

Result<Descriptor> ReadDescriptor(JsonValue value) {
  auto digest = Sha256Digest::Parse(TextOf(value, "digest"));
  if (!digest) return Malformed("a descriptor without a sha256 digest");
  const auto size = value.Find("size");
  const auto number = size ? size->AsInteger() : std::nullopt;
  if (!number || *number < 0) return Malformed("a descriptor without a size");
  Descriptor descriptor{.media_type = TextOf(value, "mediaType"),
                        .artifact_type = TextOf(value, "artifactType"),
                        .digest = *digest,
                        .size = static_cast<std::uint64_t>(*number),
                        .annotations = {}};
  const auto annotations = value.Find("annotations");
  if (!annotations || annotations->type() == JsonType::kNull) return descriptor;
  const auto members = annotations->AsObject();
  if (!members) return Malformed("annotations that are not an object");
  for (const JsonMember member : *members) {
    const auto text = member.value.AsString();
    if (!text) return Malformed("an annotation that is not a text");
    if (descriptor.annotations.size() == kMaxAnnotations) return Malformed("too many annotations");
    descriptor.annotations.emplace(member.name, *text);
  }
  return descriptor;
}

}  // namespace

Result<Manifest> Manifest::Parse(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  if (!document) return tl::unexpected(document.error());
  const JsonValue root = document->root();
  const auto layers = root.Find("layers");
  const auto elements = layers ? layers->AsArray() : std::nullopt;
  const auto config = root.Find("config");
  if (!elements || !config || config->type() != JsonType::kObject) {
    return Malformed("not an image manifest");
  }
  Manifest manifest;
  manifest.media_type = TextOf(root, "mediaType");
  manifest.artifact_type = TextOf(root, "artifactType");
  if (manifest.artifact_type.empty()) manifest.artifact_type = TextOf(*config, "mediaType");
  for (const JsonValue element : *elements) {
    if (manifest.layers.size() == kMaxLayers) {
      return Fail(Reason::kTooMany, "a manifest with too many layers");
    }
    auto layer = ReadDescriptor(element);
    if (!layer) return tl::unexpected(layer.error());
    manifest.layers.push_back(*std::move(layer));
  }
  const auto subject = root.Find("subject");
  if (subject && subject->type() != JsonType::kNull) {
    auto descriptor = ReadDescriptor(*subject);
    if (!descriptor) return tl::unexpected(descriptor.error());
    manifest.subject = descriptor->digest;
  }
  return manifest;
}

std::string MediaTypeOf(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  return document ? TextOf(document->root(), "mediaType") : std::string();
}

Result<Index> Index::Parse(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto manifests = document->root().Find("manifests");
  const auto elements = manifests ? manifests->AsArray() : std::nullopt;
  if (!elements) return Malformed("not an image index");
  Index index;
  for (const JsonValue element : *elements) {
    if (index.manifests.size() == kMaxManifests) {
      return Fail(Reason::kTooMany, "an index with too many manifests");
    }
    auto descriptor = ReadDescriptor(element);
    if (descriptor) index.manifests.push_back(*std::move(descriptor));
  }
  return index;
}

}  // namespace crivet::trust::oci
