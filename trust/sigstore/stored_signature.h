// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/oci/manifest.h"
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::trust::sigstore {

/// SignatureBytes is one signature of an image as a registry gave it, in one of cosign's two forms:
/// a bundle, or a layer of a `.sig` manifest with the payload that it names. Nothing is verified.
/// Immutable.
class SignatureBytes {
 public:
  enum class Form : std::uint8_t { kBundle, kLegacy };
  /// More than any layer's annotations and payload come to.
  static constexpr std::size_t kMaxSize = 4 * 1024 * 1024;

  static SignatureBytes Bundle(std::string json) { return {Form::kBundle, std::move(json)}; }
  /// Keeps those of the layer's annotations that are read.
  static SignatureBytes Legacy(const oci::Descriptor& layer, std::string_view payload);

  Form form() const { return form_; }
  /// As it is stored: a bundle as it is, a layer as kStored says.
  const std::string& bytes() const { return bytes_; }
  const Sha256& sha256() const { return sha256_; }

  /// Of what was stored; nothing that was not made by this class is taken for a layer, but bundles
  /// are only read when they are verified.
  static std::optional<SignatureBytes> Stored(Form form, std::string bytes);

  /// Whether it is a signature of the image that the demand accepts. Pure.
  SignatureResult<ImageSignature> Verify(const WantedImage& image,
                                         const SigstoreDemand& demand) const;

 private:
  SignatureBytes(Form form, std::string bytes)
      : form_(form), bytes_(std::move(bytes)), sha256_(Sha256Of(bytes_)) {}

  Form form_;
  std::string bytes_;
  Sha256 sha256_;
};

/// StoredSignature is a signature that was good when it was read, as the store keeps it. On disk
/// nothing of it is believed but that time.
struct StoredSignature {
  Sha256Digest image;
  TimePoint first_verified;
  SignatureBytes signature;

  /// The file's name in the store; nothing of it comes out of the signature's text.
  std::string FileName() const;
  /// What FileName says, with the file's content. nullopt where it is not such a name.
  static std::optional<StoredSignature> Of(std::string_view file_name, std::string bytes);
};

}  // namespace crivet::trust::sigstore
