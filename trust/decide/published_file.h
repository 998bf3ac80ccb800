// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"

namespace crivet::trust {

/// WantedFile is a file that one `[trust.*]` reads out of another's collection
/// (trust/RULES.md#files-of-another-trust).
struct WantedFile {
  std::string trust;  ///< the label of the other
  std::string name;   ///< as the other's kind names it
  /// The kind of who reads it, and what that says of bytes which are none: they never take the
  /// place of the file before. Pure.
  std::string_view reader;
  std::function<Result<void>(std::string_view bytes)> check;
};

/// PublishedFile is such a file, as a collection vouches for it. A value; cheap to copy.
struct PublishedFile {
  std::shared_ptr<const std::string> bytes;  ///< never null
  Sha256 sha256{};
  /// From this moment on the collection vouches for nothing that is new to the node.
  TimePoint until;

  friend bool operator==(const PublishedFile& a, const PublishedFile& b) {
    return a.sha256 == b.sha256 && a.until == b.until;
  }
};

}  // namespace crivet::trust
