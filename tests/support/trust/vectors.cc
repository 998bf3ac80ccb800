// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/vectors.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace crivet::trust {

std::string ReadTestFile(const std::string& name) {
  const std::string path = std::string(CRIVET_TEST_DATA) + "/" + name;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream content;
  content << in.rdbuf();
  return std::move(content).str();
}

std::vector<std::string> ReadTestLines(const std::string& name) {
  std::istringstream in(ReadTestFile(name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace crivet::trust
