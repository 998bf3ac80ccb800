// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "trust/base/bytes.h"

namespace crivet::trust {

/// MetadataRequest is one metadata file that an update wants next, in the repository's own naming
/// (trust/notary/FORMAT.md#the-servers-files): `timestamp.json`, `root.json`, `3.root.json`,
/// `targets/releases.<sha256>.json`.
struct MetadataRequest {
  std::string file;
  std::size_t max_bytes = 0;
  /// Set where the file is named by its content: what the bytes must hash to.
  std::optional<Sha256> sha256;
};

}  // namespace crivet::trust
