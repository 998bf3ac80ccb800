// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ContainerdConfigFile is what has to be known of one file of containerd's configuration.
struct ContainerdConfigFile {
  std::vector<std::string> imports;  ///< as written, patterns included
  bool sets_address = false;         ///< of the gRPC socket
};

/// ParseContainerdConfigFile reads it out of the file's text. kMalformed where that is not TOML.
trust::Result<ContainerdConfigFile> ParseContainerdConfigFile(std::string_view text);

/// ConfigFilesOf lists a configuration file and all that it reads, in containerd's own order. Empty
/// where that file is not there. kMalformed where one cannot be read, by its name.
trust::Result<std::vector<std::string>> ConfigFilesOf(const std::string& config_file);

}  // namespace crivet::proxy
