// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ContainerdConfig is the merged configuration as `containerd config dump` prints it.
struct ContainerdConfig {
  /// Where the sockets stand: in `[grpc]` and `[ttrpc]`, or in the server plugins of version 4.
  enum class Form : unsigned char { kSections, kPlugins };

  Form form = Form::kSections;
  std::string grpc_address;
  std::string ttrpc_address;  ///< effective: beside the gRPC one where it is left open
  std::string uid = "0";      ///< who owns containerd's socket, a number
  std::string gid = "0";      ///< the group that may open it, a number
  /// Every value by its dotted name, as text.
  std::map<std::string, std::string> values;
};

/// ParseContainerdConfig reads such a print. kMalformed where it is none, or names no absolute path
/// for the socket. Pure.
trust::Result<ContainerdConfig> ParseContainerdConfig(std::string_view dump);

/// ContainerdRegistries is how containerd finds its way to images' registries.
struct ContainerdRegistries {
  std::vector<std::string> folders;           ///< config_path: of hosts.toml files
  bool has_mirrors = false;                   ///< [registry.mirrors], as of before hosts.toml
  std::vector<std::string> with_credentials;  ///< hosts with an auth of their own in the file
};

/// RegistriesOf reads it out of the print, of whatever version. Pure.
ContainerdRegistries RegistriesOf(const ContainerdConfig& config);

/// AddressFileOf is a configuration file that, read last, moves the gRPC socket of `config` to
/// `grpc_address` and keeps everything else of both sockets, the ttrpc path included: shims that
/// already run report their exits there. It has no version: in 1.x and 2.0 to 2.2 the last one that
/// is written counts for all files, so that only none leaves them alone. Pure.
std::string AddressFileOf(const ContainerdConfig& config, const std::string& grpc_address);

/// MainFileOf is a configuration file that reads `imports` in that order, and nothing else, without
/// a version as AddressFileOf. Pure.
std::string MainFileOf(const std::vector<std::string>& imports);

/// DifferencesOf names the values that are not the same in `moved`, but for what a move has to
/// change: the gRPC address, and the list of files. Pure.
std::vector<std::string> DifferencesOf(const ContainerdConfig& config,
                                       const ContainerdConfig& moved);

}  // namespace crivet::proxy
