// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace crivet::trust {

/// TrustServer is one `[trust.*]` of the configuration. Its files have been checked when it exists.
struct TrustServer {
  std::string label;
  std::string kind;  ///< Kind::name
  /// Canonical: lower-case scheme and host, no default port, no trailing slash. Empty where images'
  /// registries are asked.
  std::string url;
  /// The same of files that other trusts read (Kind::files_url_key); empty: there are none.
  std::string files_url = {};
  std::string ca_file;
  /// What ca_file holds, in PEM; empty: it is read when it is needed.
  std::string authorities = {};
  std::string client_cert;
  std::string client_key;
  enum class Auth : std::uint8_t { kNone, kFromPull, kDockerConfig } auth = Auth::kNone;
  std::string docker_config;  ///< path of the config.json for kDockerConfig
  std::vector<std::string> auth_hosts;
  /// Folders with what containerd knows of the hosts of registries; for kinds that ask those.
  std::vector<std::string> registry_config = {};
  /// A folder with copies of signatures, asked before them; empty: none.
  std::string bundles = {};
  std::string proxy;  ///< empty: none, and never one from the environment
  bool insecure_http = false;
  std::chrono::seconds refresh_interval{300};
  std::chrono::milliseconds timeout{5000};
  double max_refresh_rate = 2.0;  ///< refreshes a second of this node
  std::size_t max_targets_size = 16 * 1024 * 1024;
  friend bool operator==(const TrustServer&, const TrustServer&) = default;
};

/// RegistryCredentials is what a PullImage carried. Never logged, never on disk; every copy is
/// overwritten when it goes (there is no move, which would leave one behind).
struct RegistryCredentials {
  ~RegistryCredentials();
  std::string username;
  std::string password;
  std::string identity_token;
  std::string registry_token;
  /// The URL of the only registry host that they are for, as the pull has it; empty: any host that
  /// is asked for the image. No secret, and nothing to a trust server that a rule gives them to.
  std::string server_address;
  friend bool operator==(const RegistryCredentials&, const RegistryCredentials&) = default;
};

}  // namespace crivet::trust
