// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/config_values.h"

namespace crivet::proxy::cli {

/// ServerOptions is a server as `crivet pin` is told of it on the command line.
struct ServerOptions {
  std::string url;        ///< empty: each image's own registry
  std::string ca_file;    ///< empty: the system's authorities
  std::string kind = {};  ///< empty: the first that crivet knows
};

/// ServerToPin checks the options as the configuration's `[trust.*]` are checked. The server has
/// `label`, or a label made of its host where that is empty. The error is for people.
Valued<trust::TrustServer> ServerToPin(const ServerOptions& options, const std::string& label);

/// LabelOfUrl is the `[trust.*]` of the file that has that address; empty where there is none, and
/// where the file cannot be taken.
std::string LabelOfUrl(const std::string& config_file, const std::string& url);

/// ServerSection is the `[trust.*]` to paste for a server that answered without credentials, with
/// an empty line behind it. Pure.
std::vector<std::string> ServerSection(const trust::TrustServer& server);

/// ConfigOf is a configuration that has that one server and verifies nothing.
Config ConfigOf(const trust::TrustServer& server, const std::string& state_dir);

/// ScratchFolder is an empty folder of our own, gone with what is in it when this goes. Its path is
/// empty where none could be made.
class ScratchFolder {
 public:
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace crivet::proxy::cli
