#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/gate/decider.h"
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

/// WouldBeRefused is one name, or one container, that enforcing would refuse.
struct WouldBeRefused {
  std::string image;
  std::optional<trust::Sha256Digest> local;
  std::string container;  ///< empty for an image alone
  trust::Decision decision;
  bool sandbox = false;  ///< the image that every sandbox is made of
};

/// TakeInventory asks the runtime and containerd's images API; where it has none, the names that
/// crivet keeps in `state_dir`. Blocks. kUnreachable where the runtime does not answer.
trust::Result<NodeInventory> TakeInventory(const std::string& upstream,
                                           const std::string& image_upstream,
                                           const std::string& state_dir);

/// RefusedByRules is each name of an image, and the sandbox image, that no rule would let run for
/// any pod, whoever signed it. Asks nobody: what a rule verifies is not among it. Pure.
std::vector<WouldBeRefused> RefusedByRules(const NodeInventory& inventory,
                                           const trust::Policy& policy, trust::TimePoint now);

/// CountImages is how many images the runtime holds; nothing where it does not answer within
/// `limit`. Blocks.
std::optional<std::uint64_t> CountImages(const std::string& image_upstream,
                                         std::chrono::milliseconds limit);

/// ReviewCalls is how a review speaks to whoever wants it.
struct ReviewCalls {
  std::function<void(const WouldBeRefused&)> found;
  /// Asked before each image and container; false ends the review.
  std::function<bool()> go_on;
};

/// ReviewNode judges every name and every running container as ImageStatus and CreateContainer
/// would, and the sandbox image as a pull, whatever the rules' mode, and reports each that would be
/// refused. Blocks while decisions wait for refreshes.
void ReviewNode(const NodeInventory& inventory, Decider& decider, const ReviewCalls& calls);

}  // namespace crivet::proxy
