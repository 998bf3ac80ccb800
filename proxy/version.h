// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace crivet::proxy {

/// Version is the release, as in the package: `0.1.0`.
std::string_view Version();

}  // namespace crivet::proxy
