// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// NodeImage is one name of an image on the node.
struct NodeImage {
  std::string name;  ///< as the runtime records it, or as crivet keeps it
  trust::Sha256Digest target;
  /// Other digests of the same content in the same repository, as CRI-O tells of an index and the
  /// manifest that it lists. One that is vouched for suffices.
  std::vector<trust::Sha256Digest> equals = {};
};

/// NodeContainer is a container that runs, with what kubelet said of its image.
struct NodeContainer {
  std::string who;  ///< `namespace/pod/container`
  std::string pod_namespace;
  std::string image_id;
  std::string written;  ///< user_specified_image; empty for kubelet before 1.28
};

/// NodeInventory is what a runtime holds and runs.
struct NodeInventory {
  std::vector<NodeImage> names;
  /// Image ID -> the names it goes by, as indices into `names`.
  std::map<std::string, std::vector<std::size_t>> names_of;
  std::vector<NodeContainer> containers;
  std::string sandbox_image;  ///< of which every sandbox is made; empty where nobody tells
};

/// TakeInventory asks the runtime and containerd's images API; where it has none, the names that
/// crivet keeps in `state_dir`. Blocks. kUnreachable where the runtime does not answer.
trust::Result<NodeInventory> TakeInventory(const std::string& upstream,
                                           const std::string& image_upstream,
                                           const std::string& state_dir);

/// CountImages is how many images the runtime holds; nothing where it does not answer within
/// `limit`. Blocks.
std::optional<std::uint64_t> CountImages(const std::string& image_upstream,
                                         std::chrono::milliseconds limit);

}  // namespace crivet::proxy
