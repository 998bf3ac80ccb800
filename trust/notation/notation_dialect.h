// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/notation/image_signature.h"
#include "trust/registry_bound/signature_bytes.h"
#include "trust/registry_bound/signature_dialect.h"

namespace crivet::trust::notation {

/// LaidEnvelope is an envelope with what else its verdict needs: the type of its layer, and what
/// the image's manifest is (trust/notation/FORMAT.md#shapes). Nothing is verified.
struct LaidEnvelope {
  std::string media_type;
  registry_bound::ImageManifest image;
  std::string envelope;

  registry_bound::SignatureBytes AsBytes() const;
  /// nullopt where AsBytes never made such bytes.
  static std::optional<LaidEnvelope> Of(const registry_bound::SignatureBytes& bytes);
};

/// Where notation puts its signatures.
const registry_bound::SignatureDialect& Dialect();

}  // namespace crivet::trust::notation
