// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/stored_signature.h"

#include <charconv>
#include <map>
#include <utility>

#include "trust/sigstore/bundle.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::string_view kReadAnnotations[] = {
    "dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate",
    "dev.sigstore.cosign/bundle", "dev.sigstore.cosign/rfc3161timestamp"};
constexpr std::string_view kPayload = "payload";
constexpr std::string_view kMediaType = "media-type";

void Put(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(" ").append(std::to_string(value.size())).append("\n");
  out.append(value).append("\n");
}

// A field is `name size LF value LF`, so that no value has to be escaped.
std::optional<std::map<std::string, std::string, std::less<>>> Fields(std::string_view rest) {
  std::map<std::string, std::string, std::less<>> fields;
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    const auto line = rest.find('\n');
    if (space == std::string_view::npos || line == std::string_view::npos || line < space) {
      return std::nullopt;
    }
    std::size_t size = 0;
    const char* const end = rest.data() + line;
    const auto [at, error] = std::from_chars(rest.data() + space + 1, end, size);
    if (error != std::errc() || at != end) return std::nullopt;
    const std::string_view name = rest.substr(0, space);
    rest.remove_prefix(line + 1);
    if (size >= rest.size() || rest[size] != '\n') return std::nullopt;
    if (!fields.emplace(name, rest.substr(0, size)).second) return std::nullopt;
    rest.remove_prefix(size + 1);
  }
  return fields;
}

std::string_view WordOf(SignatureBytes::Form form) {
  return form == SignatureBytes::Form::kBundle ? "bundle" : "legacy";
}

}  // namespace

SignatureBytes SignatureBytes::Legacy(const oci::Descriptor& layer, std::string_view payload) {
  std::string bytes;
  Put(bytes, kMediaType, layer.media_type);
  for (const std::string_view name : kReadAnnotations) {
    const auto found = layer.annotations.find(name);
    if (found != layer.annotations.end()) Put(bytes, name, found->second);
  }
  Put(bytes, kPayload, payload);
  return {Form::kLegacy, std::move(bytes)};
}

std::optional<SignatureBytes> SignatureBytes::Stored(Form form, std::string bytes) {
  if (bytes.size() > kMaxSize) return std::nullopt;
  SignatureBytes stored(form, std::move(bytes));
  if (form == Form::kLegacy && !Fields(stored.bytes_)) return std::nullopt;
  return stored;
}

SignatureResult<ImageSignature> SignatureBytes::Verify(const WantedImage& image,
                                                       const SigstoreDemand& demand) const {
  const bool wanted = form_ == Form::kBundle ? demand.takes_bundles : demand.takes_legacy;
  if (!wanted) {
    return RefuseSignature(SignatureReason::kUnsigned,
                           std::string("a signature in the form ").append(WordOf(form_)) +
                               ", which the rule does not take");
  }
  if (form_ == Form::kBundle) {
    const auto bundle = sigstore::Bundle::Parse(bytes_);
    if (!bundle) return tl::unexpected(bundle.error());
    return VerifyBundle(*bundle, image, demand.For(image.tag));
  }
  auto fields = Fields(bytes_);
  if (!fields) return RefuseSignature(SignatureReason::kMalformed, "not a stored signature");
  const std::string payload = (*fields)[std::string(kPayload)];
  oci::Descriptor layer{.media_type = (*fields)[std::string(kMediaType)],
                        .artifact_type = {},
                        .digest = Sha256Digest(Sha256Of(payload)),
                        .size = payload.size(),
                        .annotations = {}};
  for (const std::string_view name : kReadAnnotations) {
    if (const auto found = fields->find(name); found != fields->end()) {
      layer.annotations.emplace(name, found->second);
    }
  }
  return VerifyLegacy(layer, payload, image, demand.For(image.tag));
}

std::string StoredSignature::FileName() const {
  std::string name =
      ToHex(image.bytes()) + '-' + std::to_string(first_verified.time_since_epoch().count()) + '-';
  name.append(WordOf(signature.form())).append("-");
  return name + ToHex(signature.sha256());
}

std::optional<StoredSignature> StoredSignature::Of(std::string_view file_name, std::string bytes) {
  const auto part = [&]() -> std::string_view {
    const auto end = file_name.find('-');
    const std::string_view text = file_name.substr(0, end);
    file_name.remove_prefix(end == std::string_view::npos ? file_name.size() : end + 1);
    return text;
  };
  const auto image = Sha256FromHex(part());
  const std::string_view seconds = part();
  const std::string_view form = part();
  std::int64_t time = 0;
  const char* const end = seconds.data() + seconds.size();
  const auto [at, error] = std::from_chars(seconds.data(), end, time);
  const bool is_bundle = form == WordOf(SignatureBytes::Form::kBundle);
  const bool is_legacy = form == WordOf(SignatureBytes::Form::kLegacy);
  if (!image || error != std::errc() || at != end || is_bundle == is_legacy) return std::nullopt;
  auto signature = SignatureBytes::Stored(
      is_bundle ? SignatureBytes::Form::kBundle : SignatureBytes::Form::kLegacy, std::move(bytes));
  if (!signature) return std::nullopt;
  return StoredSignature{Sha256Digest(*image), TimePoint(std::chrono::seconds(time)),
                         *std::move(signature)};
}

}  // namespace crivet::trust::sigstore
