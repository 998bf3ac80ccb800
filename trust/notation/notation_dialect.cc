// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/notation_dialect.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "trust/notation/parse_envelope.h"
#include "trust/registry_bound/named_fields.h"

namespace crivet::trust::notation {
namespace {

using registry_bound::ImageManifest;
using registry_bound::SignatureBytes;

constexpr std::string_view kJwsForm = "jws";
constexpr std::string_view kCoseForm = "cose";
constexpr std::string_view kImageType = "image-media-type";
constexpr std::string_view kImageSize = "image-size";
constexpr std::string_view kEnvelope = "envelope";

class Notations final : public registry_bound::SignatureDialect {
 public:
  bool IsOwn(std::string_view artifact_type) const override {
    return IsSignatureType(artifact_type);
  }
  std::vector<oci::Descriptor> LayersOf(const oci::Manifest& referrer,
                                        const Sha256Digest& image) const override {
    std::vector<oci::Descriptor> layers = EnvelopeLayers(referrer, image);
    std::erase_if(layers, [](const oci::Descriptor& layer) {
      return layer.media_type != kJwsMediaType && layer.media_type != kCoseMediaType;
    });
    return layers;
  }
  bool ReadsImage() const override { return true; }
  SignatureBytes Of(const oci::Descriptor& layer, std::string content,
                    const ImageManifest& image) const override {
    return LaidEnvelope{layer.media_type, image, std::move(content)}.AsBytes();
  }
  int StageOf(SignatureReason reason) const override { return notation::StageOf(reason); }
};

}  // namespace

SignatureBytes LaidEnvelope::AsBytes() const {
  std::string bytes;
  registry_bound::PutField(bytes, kImageType, image.media_type);
  registry_bound::PutField(bytes, kImageSize, std::to_string(image.size));
  registry_bound::PutField(bytes, kEnvelope, envelope);
  // LayersOf lets no third type pass.
  const std::string_view form = media_type == kCoseMediaType ? kCoseForm : kJwsForm;
  return {std::string(form), std::move(bytes)};
}

std::optional<LaidEnvelope> LaidEnvelope::Of(const SignatureBytes& bytes) {
  const bool is_cose = bytes.form() == kCoseForm;
  if (!is_cose && bytes.form() != kJwsForm) return std::nullopt;
  auto fields = registry_bound::ReadFields(bytes.bytes());
  if (!fields || fields->size() != 3) return std::nullopt;
  const auto type = fields->find(kImageType);
  const auto size = fields->find(kImageSize);
  const auto envelope = fields->find(kEnvelope);
  if (type == fields->end() || size == fields->end() || envelope == fields->end()) {
    return std::nullopt;
  }
  LaidEnvelope laid{std::string(is_cose ? kCoseMediaType : kJwsMediaType),
                    {std::move(type->second), 0},
                    std::move(envelope->second)};
  const char* const end = size->second.data() + size->second.size();
  const auto [at, error] = std::from_chars(size->second.data(), end, laid.image.size);
  if (error != std::errc() || at != end) return std::nullopt;
  return laid;
}

const registry_bound::SignatureDialect& Dialect() {
  static const Notations dialect;
  return dialect;
}

}  // namespace crivet::trust::notation
