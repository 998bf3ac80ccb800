// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "crivet/admin/v1/admin.pb.h"

namespace crivet::proxy::cli {

/// RefusedImage is one image with everything on the node that would not start because of it.
struct RefusedImage {
  std::string name;                     ///< by tag, where it has one
  std::vector<std::string> names;       ///< canonical, this one too
  std::string digest;                   ///< empty where only a container names it
  std::string reason;                   ///< code
  std::string rule;                     ///< that refuses it
  std::string message;                  ///< as kubelet would read it
  std::vector<std::string> containers;  ///< `namespace/pod/container`
  bool sandbox = false;                 ///< every pod's sandbox is made of it
  /// All that is missing of it is what its registry gives to a pull with the pod's credentials.
  bool needs_secret = false;
};

/// GroupByImage puts together what is one image: its names of one repository and digest, and the
/// containers that run it. In the order in which they came. Pure.
std::vector<RefusedImage> GroupByImage(const std::vector<admin::v1::JudgedImage>& refused);

/// RefusedForPeople is each image with its reason and who uses it, in lines of at most `width`
/// where words allow it; those that need a secret come after the others, under a line that says so.
/// Pure.
std::vector<std::string> RefusedForPeople(const std::vector<RefusedImage>& images,
                                          std::size_t width);

/// RefusedTotal is how much that is: `3 images (of 24 on this node) and 4 of 20 running
/// containers; the sandbox image may run`, and how many of the images need a secret. Pure.
std::string RefusedTotal(const std::vector<RefusedImage>& images,
                         const admin::v1::LookedAt& looked_at);

/// RulesToPaste is TOML that lets pass what only lacks a rule, a [[rule]] for each registry, and
/// nothing of what a rule refuses. Empty where no image lacks one. Pure.
std::vector<std::string> RulesToPaste(const std::vector<RefusedImage>& images);

/// RefusedAsJson is one use of one image, as one line of JSON. Pure.
std::string RefusedAsJson(const admin::v1::JudgedImage& image);

}  // namespace crivet::proxy::cli
