// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace crivet::trust {

/// PercentEncoded writes everything but unreserved characters (RFC 3986 2.3) and those in `keep`
/// as `%XX`.
std::string PercentEncoded(std::string_view text, std::string_view keep = "");

}  // namespace crivet::trust
