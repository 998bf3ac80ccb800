// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_error.h"

#include <fmt/format.h>

namespace crivet::proxy {

std::string ConfigError::ToString() const {
  if (line == 0) return fmt::format("{}: {}", file, what);
  return fmt::format("{}:{}:{}: {}", file, line, column, what);
}

}  // namespace crivet::proxy
