// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_dialect.h"

#include <utility>

#include "trust/base/bytes.h"
#include "trust/registry_bound/named_fields.h"
#include "trust/sigstore/image_signature.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::string_view kReadAnnotations[] = {
    "dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate",
    "dev.sigstore.cosign/bundle", "dev.sigstore.cosign/rfc3161timestamp"};
constexpr std::string_view kPayload = "payload";
constexpr std::string_view kMediaType = "media-type";

class Cosigns final : public registry_bound::SignatureDialect {
 public:
  bool IsOwn(std::string_view artifact_type) const override {
    return artifact_type.starts_with("application/vnd.dev.sigstore.bundle");
  }
  std::vector<oci::Descriptor> LayersOf(const oci::Manifest& referrer,
                                        const Sha256Digest& image) const override {
    return BundleLayers(referrer, image);
  }
  registry_bound::SignatureBytes Of(const oci::Descriptor& /*layer*/, std::string content,
                                    const registry_bound::ImageManifest& /*image*/) const override {
    return BundleBytes(std::move(content));
  }
  std::string_view tag_ending() const override { return ".sig"; }
  std::vector<oci::Descriptor> LayersUnderTag(const oci::Manifest& manifest) const override {
    return LegacyLayers(manifest);
  }
  registry_bound::SignatureBytes OfUnderTag(const oci::Descriptor& layer,
                                            std::string_view content) const override {
    return LegacyBytes(layer, content);
  }
  int StageOf(SignatureReason reason) const override { return sigstore::StageOf(reason); }
};

}  // namespace

registry_bound::SignatureBytes BundleBytes(std::string json) {
  return {std::string(kBundleForm), std::move(json)};
}

registry_bound::SignatureBytes LegacyBytes(const oci::Descriptor& layer, std::string_view payload) {
  std::string bytes;
  registry_bound::PutField(bytes, kMediaType, layer.media_type);
  for (const std::string_view name : kReadAnnotations) {
    const auto found = layer.annotations.find(name);
    if (found != layer.annotations.end()) registry_bound::PutField(bytes, name, found->second);
  }
  registry_bound::PutField(bytes, kPayload, payload);
  return {std::string(kLegacyForm), std::move(bytes)};
}

std::optional<LegacyLayer> LegacyLayer::Of(const registry_bound::SignatureBytes& legacy) {
  auto fields = registry_bound::ReadFields(legacy.bytes());
  if (!fields) return std::nullopt;
  std::string payload = std::move((*fields)[std::string(kPayload)]);
  const Sha256Digest digest(Sha256Of(payload));
  LegacyLayer read{{.media_type = std::move((*fields)[std::string(kMediaType)]),
                    .artifact_type = {},
                    .digest = digest,
                    .size = payload.size(),
                    .annotations = {}},
                   std::move(payload)};
  for (const std::string_view name : kReadAnnotations) {
    if (const auto found = fields->find(name); found != fields->end()) {
      read.layer.annotations.emplace(name, found->second);
    }
  }
  return read;
}

const registry_bound::SignatureDialect& Dialect() {
  static const Cosigns dialect;
  return dialect;
}

}  // namespace crivet::trust::sigstore
