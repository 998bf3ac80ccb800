// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proxy/gate/decider.h"
#include "proxy/runtime/node_inventory.h"

namespace crivet::proxy {

/// WouldBeRefused is one name, or one container, that enforcing would refuse.
struct WouldBeRefused {
  std::string image;
  std::optional<trust::Sha256Digest> local;
  std::string container;  ///< empty for an image alone
  trust::Decision decision;
  bool sandbox = false;  ///< the image that every sandbox is made of
};

/// RefusedByRules is each name of an image, and the sandbox image, that no rule would let run for
/// any pod, whoever signed it. Asks nobody: what a rule verifies is not among it. Pure.
std::vector<WouldBeRefused> RefusedByRules(const NodeInventory& inventory,
                                           const trust::Policy& policy, trust::TimePoint now);

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
