// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace crivet::proxy {

/// ReasonWithCause is a failure's code with the network's word behind it, `expired (timeout)`: once
/// where both are the same, alone where there is no cause.
inline std::string ReasonWithCause(std::string_view reason, std::string_view cause) {
  std::string text(reason);
  if (!cause.empty() && cause != reason) text.append(" (").append(cause).append(")");
  return text;
}

}  // namespace crivet::proxy
