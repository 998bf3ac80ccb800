// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"

namespace crivet::trust {

/// FileEntry is how one role lists the file of another: its digests and the most bytes it may have.
struct FileEntry {
  std::size_t length = 0;
  Sha256 sha256{};
  std::optional<Sha512> sha512;

  /// kHash where `file` is longer than listed or hashes to something else.
  Result<void> Check(std::string_view file) const;

  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

}  // namespace crivet::trust
