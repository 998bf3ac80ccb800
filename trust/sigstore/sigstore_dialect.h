// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "trust/oci/manifest.h"
#include "trust/registry_bound/signature_bytes.h"
#include "trust/registry_bound/signature_dialect.h"

namespace crivet::trust::sigstore {

// The two forms of cosign's signatures, as registry_bound::SignatureBytes::form.
inline constexpr std::string_view kBundleForm = "bundle";
inline constexpr std::string_view kLegacyForm = "legacy";

/// A bundle, as it is.
registry_bound::SignatureBytes BundleBytes(std::string json);
/// A layer of a `.sig` manifest, those of its annotations that are read, and the payload that it
/// names.
registry_bound::SignatureBytes LegacyBytes(const oci::Descriptor& layer, std::string_view payload);

/// LegacyLayer is what LegacyBytes put together.
struct LegacyLayer {
  oci::Descriptor layer;
  std::string payload;

  /// nullopt where LegacyBytes never made such a text.
  static std::optional<LegacyLayer> Of(const registry_bound::SignatureBytes& legacy);
};

/// Where cosign puts its signatures (trust/sigstore/FORMAT.md#places).
const registry_bound::SignatureDialect& Dialect();

}  // namespace crivet::trust::sigstore
