// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::proxy::cli {

/// TrustFolder is one collection found on disk.
struct TrustFolder {
  trust::Gun gun;
  std::string path;  ///< holds root.json
};

/// TrustFolders is what was found below a folder.
struct TrustFolders {
  std::vector<TrustFolder> collections;  ///< sorted by name
  /// Folders with a root.json whose place below the folder is no collection's name.
  std::vector<std::string> nameless;
};

/// FindTrustFolders finds every collection below a folder: Docker's `~/.docker/trust` and a notary
/// client's folder (`tuf/<GUN>/metadata/root.json`), or a mirror of a server
/// (`<GUN>/_trust/tuf/root.json`, `<GUN>/root.json`). Symbolic links are not followed. kState where
/// the folder cannot be read, with why.
trust::Result<TrustFolders> FindTrustFolders(const std::string& folder);

}  // namespace crivet::proxy::cli
