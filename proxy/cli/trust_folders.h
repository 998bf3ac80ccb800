// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::proxy::cli {

/// TrustFolder is one collection found on disk.
struct TrustFolder {
  std::string kind;  ///< trust::Kind::name
  std::string name;
  std::string path;  ///< holds Kind::file_of_folders
};

/// TrustFolders is what was found below a folder.
struct TrustFolders {
  std::vector<TrustFolder> collections;  ///< sorted by name
  /// Folders with a root.json whose place below the folder is no collection's name.
  std::vector<std::string> nameless;
};

/// FindTrustFolders finds every collection below a folder: Docker's `~/.docker/trust` and a notary
/// client's folder (`tuf/<name>/metadata/root.json`), or a mirror of a server
/// (`<name>/_trust/tuf/root.json`, `<name>/root.json`), and of other kinds the folders with what a
/// server has. Symbolic links are not followed. kState
/// where the folder cannot be read, with why.
trust::Result<TrustFolders> FindTrustFolders(const std::string& folder);

}  // namespace crivet::proxy::cli
