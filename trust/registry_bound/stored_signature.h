// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/registry_bound/signature_bytes.h"

namespace crivet::trust::registry_bound {

/// StoredSignature is a signature that was good when it was read, as the store keeps it. On disk
/// nothing of it is believed but that time.
struct StoredSignature {
  Sha256Digest image;
  TimePoint first_verified;
  SignatureBytes signature;

  /// The file's name in the store; nothing of it comes out of the signature's text.
  std::string FileName() const;
  /// What FileName says, with the file's content. nullopt where it is not such a name, or there is
  /// more than SignatureBytes::kMaxSize.
  static std::optional<StoredSignature> Of(std::string_view file_name, std::string bytes);
};

}  // namespace crivet::trust::registry_bound
