// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ContainerdConfigFile is what has to be known of one file of containerd's configuration.
struct ContainerdConfigFile {
  std::vector<std::string> imports;  ///< as written, patterns included
  bool sets_address = false;         ///< of the gRPC socket
  /// CRI's config_path, as written: where hosts.toml files are. Nullopt: it says nothing of it.
  std::optional<std::string> config_path = std::nullopt;
};

/// ParseContainerdConfigFile reads it out of the file's text. kMalformed where that is not TOML.
trust::Result<ContainerdConfigFile> ParseContainerdConfigFile(std::string_view text);

/// ConfigFilesOf lists a configuration file and all that it reads, in containerd's own order. Empty
/// where that file is not there. kMalformed where one cannot be read, by its name.
trust::Result<std::vector<std::string>> ConfigFilesOf(const std::string& config_file);

/// FoldersIn is the folders that a config_path names, which has colons between them. Pure.
std::vector<std::string> FoldersIn(std::string_view config_path);

/// The key of `[trust.*]` that says it for one trust.
inline constexpr char kRegistryConfig[] = "registry_config";

/// RegistryFolders is where hosts.toml files are looked for.
struct RegistryFolders {
  std::vector<std::string> folders;
  /// The file that says so, or kRegistryConfig; empty where none does, and the folder is
  /// containerd's usual one.
  std::string said_by = {};
  /// Why that may not be what containerd goes by; empty: nothing speaks against it.
  std::string doubt = {};
};

/// RegistryFoldersOf is what containerd's configuration says in /etc/containerd/config.toml and the
/// files that it imports, of which the last that names a config_path counts. k3s and RKE2 start a
/// containerd of their own: where `upstream` is its socket, in the file that they write for it.
/// `root` holds the files of the machine that is meant; empty: this machine. Nothing is started for
/// it: what another program gives containerd on its command line is not known.
RegistryFolders RegistryFoldersOf(const std::string& root, std::string_view upstream);

/// TrustRegistries is that of one trust that asks images' registries.
struct TrustRegistries {
  std::string trust;  ///< its label
  RegistryFolders where;
};

}  // namespace crivet::proxy
