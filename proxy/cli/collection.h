// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "proxy/config/config.h"
#include "trust/decide/kind.h"

namespace crivet::proxy::cli {

/// Collection is where an image's signed metadata comes from.
struct Collection {
  trust::CollectionId id;
  const trust::Kind* kind = nullptr;
  std::string trust;  ///< label of `[trust.*]`
  /// The rule that names it; null where none verifies the image yet.
  std::shared_ptr<const trust::Rule> rule;
  /// The image under the name under which it is signed there.
  trust::ImageReference signed_as;
};

/// FindCollection finds it by the rule that verifies the image in that namespace (empty: none),
/// behind an `allow` or `deny` rule too, else by `label`, else by the only `[trust.*]` that there
/// is. The error is for people.
trust::Result<Collection> FindCollection(const Config& config, const std::string& image,
                                         const std::string& pod_namespace,
                                         const std::string& label);

/// The collection on a server in which an image is signed under its own name; an error for people
/// where there cannot be one.
trust::Result<Collection> CollectionOn(const trust::TrustServer& server,
                                       const trust::ImageReference& reference);

}  // namespace crivet::proxy::cli
