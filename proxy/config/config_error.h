// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace crivet::proxy {

/// ConfigError is one thing wrong with the file. `line` and `column` count from 1; 0 where the file
/// as a whole is meant.
struct ConfigError {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string what;              ///< what is wrong and the nearest valid key or value
  std::string ToString() const;  ///< `file:line:column: what`
};

}  // namespace crivet::proxy
