#pragma once

#include <string>
#include <vector>

#include "trust/core/image_reference.h"

namespace crivet::proxy::cli {

/// TrustFolder is one collection found on disk.
struct TrustFolder {
  trust::Gun gun;
  std::string path;  ///< holds root.json
};

/// FindTrustFolders finds every collection below a folder: Docker's `~/.docker/trust` and a notary
/// client's folder (`tuf/<GUN>/metadata/root.json`), or a mirror of a server
/// (`<GUN>/_trust/tuf/root.json`, `<GUN>/root.json`). Sorted by name. Symbolic links are not
/// followed.
std::vector<TrustFolder> FindTrustFolders(const std::string& folder);

}  // namespace crivet::proxy::cli
