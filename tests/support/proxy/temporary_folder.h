// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace crivet::proxy {

/// TemporaryFolder is a folder with a short path (unix sockets allow 108 bytes) that goes with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = "/tmp/crivet.XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace crivet::proxy
