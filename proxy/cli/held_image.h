// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "proxy/config/config.h"

namespace crivet::proxy::cli {

/// HeldId is the whole ID of the image that this node's runtime has under `name`, whatever the
/// rules say of it; empty where it has none, or does not answer. Blocks for a second or two.
std::string HeldId(const Config& config, const std::string& name);

}  // namespace crivet::proxy::cli
