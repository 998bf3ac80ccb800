// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "runtime/v1/api.pb.h"

namespace crivet::proxy {

/// SandboxImageOf is the name of the image that the runtime runs pods' sandboxes from, as its
/// verbose Status tells it: `sandboxImage` in containerd's configuration (1.6, 1.7), its pinned
/// image `sandbox` (2.x), or `pause_image` (CRI-O). Nothing where it does not tell. Pure.
std::optional<std::string> SandboxImageOf(const ::runtime::v1::StatusResponse& status);

}  // namespace crivet::proxy
