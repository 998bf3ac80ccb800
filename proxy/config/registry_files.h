// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace crivet::proxy {

/// RegistryFileWarnings is what is wrong, or doubtful, about the hosts.toml files in these folders:
/// what this user cannot read, with what that costs; hosts that are asked without TLS, or whoever
/// they are. In the order of folders and names; reads at most 256 registries of a folder.
std::vector<std::string> RegistryFileWarnings(const std::vector<std::string>& folders);

/// Whether any of these folders has one for a registry.
bool HasRegistryFiles(const std::vector<std::string>& folders);

}  // namespace crivet::proxy
