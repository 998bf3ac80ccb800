// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/fetch_cause.h"
#include "trust/io/registry/hosts_toml.h"

namespace crivet::trust {

/// HostToAsk is a host with all that is read of files for it.
struct HostToAsk {
  RegistryHost host;
  std::string cas = {};  ///< PEM, beside the system's
  /// Whether it is tried over TLS before it is asked in plain, which its scheme says.
  bool tls_first = false;
  /// Set where a mirror must be told whose image it is asked for.
  std::string ns = {};
  /// Set where it cannot be asked, and why.
  std::optional<std::string> broken = {};

  friend bool operator==(const HostToAsk&, const HostToAsk&) = default;
};

/// HostsFor is which hosts the runtime would ask for images of a registry, in order: in the first
/// of `roots` that has one, the folder `host_port_`, `host:port` or `_default`, and in it
/// hosts.toml or Docker's certificates; where there is none, the registry itself. kHostsFile where
/// a file cannot be read or parsed. Reads the disk every time, as containerd does. Thread-safe.
tl::expected<std::vector<HostToAsk>, FetchCause> HostsFor(std::string_view registry,
                                                          const std::vector<std::string>& roots);

}  // namespace crivet::trust
