// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/registry_bound/signature_bytes.h"

namespace crivet::trust::registry_bound {

/// StoredSignature is a signature that was good when it was read, as the store keeps it. On disk
/// nothing of it is believed but its times.
struct StoredSignature {
  Sha256Digest image;
  TimePoint first_verified;
  SignatureBytes signature;
  /// When a registry, or a folder of signatures, last had it since; zero: never.
  TimePoint seen_again = {};

  /// When one last had it.
  TimePoint confirmed() const { return std::max(first_verified, seen_again); }
  /// The file's name in the store; nothing of it comes out of the signature's text.
  std::string FileName() const;
  /// What FileName says, with the file's content. nullopt where it is not such a name, or there is
  /// more than SignatureBytes::kMaxSize.
  static std::optional<StoredSignature> Of(std::string_view file_name, std::string bytes);
};

}  // namespace crivet::trust::registry_bound
