// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "trust/base/image_reference.h"

namespace crivet::trust::registry_bound {

/// WantedImage is the image that a signature has to be about.
struct WantedImage {
  Sha256Digest digest;             ///< of its manifest or index
  std::string repository;          ///< under which it was signed, canonical
  std::optional<std::string> tag;  ///< that was asked for; nothing by digest alone
};

}  // namespace crivet::trust::registry_bound
