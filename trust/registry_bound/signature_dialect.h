// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/oci/manifest.h"
#include "trust/registry_bound/signature_bytes.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::registry_bound {

/// ImageManifest is what the manifest or index of an image is, beside its digest.
struct ImageManifest {
  std::string media_type;
  std::uint64_t size = 0;
};

/// SignatureDialect is how the signatures of one kind lie beside an image: what tells them from all
/// else that lies there, and what of it is the signature. Nothing is verified. Stateless; safe to
/// share between threads.
class SignatureDialect {
 public:
  virtual ~SignatureDialect() = default;

  /// Whether a descriptor of that artifact type says that it leads to a signature of this kind.
  virtual bool IsOwn(std::string_view artifact_type) const = 0;

  /// Which layers of a referrer of the image can hold a signature: what is none is not among them.
  /// What an index says that a manifest hangs from proves nothing: its own subject has to be the
  /// image.
  virtual std::vector<oci::Descriptor> LayersOf(const oci::Manifest& referrer,
                                                const Sha256Digest& image) const = 0;
  /// The signature in such a layer. `image` counts where ReadsImage.
  virtual SignatureBytes Of(const oci::Descriptor& layer, std::string content,
                            const ImageManifest& image) const = 0;
  /// Whether a signature says of the image what its digest alone does not tell.
  virtual bool ReadsImage() const { return false; }

  /// Where signatures lie under a tag of their own: what follows `sha256-<hex>` in it. Empty: they
  /// do not.
  virtual std::string_view tag_ending() const { return {}; }
  /// Which layers under that tag can hold one, and the one in such a layer. Several layers may have
  /// the same content.
  virtual std::vector<oci::Descriptor> LayersUnderTag(const oci::Manifest& /*manifest*/) const {
    return {};
  }
  virtual SignatureBytes OfUnderTag(const oci::Descriptor& layer, std::string_view content) const {
    return Of(layer, std::string(content), {});
  }

  /// How far a check got before it refused: of several refusals the one that got furthest is told.
  virtual int StageOf(SignatureReason reason) const = 0;
};

}  // namespace crivet::trust::registry_bound
