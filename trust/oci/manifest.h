// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::trust::oci {

/// Descriptor names content by media type, digest and size (OCI image spec 1.1, descriptor).
struct Descriptor {
  std::string media_type;
  std::string artifact_type;  ///< empty where it is not said
  Sha256Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string, std::less<>> annotations;
};

/// Manifest is an image manifest as far as signatures need it (OCI image spec 1.1, manifest).
struct Manifest {
  static constexpr std::size_t kMaxLayers = 1000;

  std::string media_type;
  /// What the manifest says that it is: `artifactType`, else the media type of its config.
  std::string artifact_type;
  std::vector<Descriptor> layers;
  std::optional<Sha256Digest> subject;

  /// Parse reads up to 4 MiB. kTooMany beyond kMaxLayers, kMalformed for everything else than a
  /// manifest whose descriptors all have a sha256 digest.
  static Result<Manifest> Parse(std::string_view json);
};

/// MediaTypeOf is what a manifest or an index says that it is; empty where it says nothing.
std::string MediaTypeOf(std::string_view json);

/// Index is an image index as far as signatures need it (OCI image spec 1.1, index): the answer of
/// the referrers API, or what stands under the fallback tag.
struct Index {
  static constexpr std::size_t kMaxManifests = 10'000;

  /// Descriptors that can be read; what hangs from another algorithm's digest is not among them.
  std::vector<Descriptor> manifests;

  /// Parse reads up to 4 MiB. kTooMany beyond kMaxManifests, kMalformed where it is no index.
  static Result<Index> Parse(std::string_view json);
};

}  // namespace crivet::trust::oci
