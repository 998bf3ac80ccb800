// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crivet::proxy {

/// ManifestDigests are the digests, as written, that a manifest has of its configuration, or an
/// index of its manifests (OCI image specification, manifest.md and image-index.md).
struct ManifestDigests {
  std::string config;                  ///< empty where there is none
  std::vector<std::string> manifests;  ///< the first 64
};

/// Reads a manifest or an index. Takes no more memory than what it answers, in a time that grows
/// with the text alone. Nothing where it is no object of JSON.
ManifestDigests ReadManifestDigests(std::string_view manifest);

}  // namespace crivet::proxy
