// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace crivet::trust {

/// ReadTestFile is the content of tests/data/NAME; std::runtime_error where it cannot be read.
std::string ReadTestFile(const std::string& name);

/// ReadTestLines is the same, line by line, without empty lines.
std::vector<std::string> ReadTestLines(const std::string& name);

}  // namespace crivet::trust
