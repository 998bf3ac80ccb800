// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/toml/toml_document.h"

namespace crivet::trust {

/// RegistryHost is one host that serves a registry's repositories, as hosts.toml describes it
/// (trust/RULES.md#asking-a-registry).
struct RegistryHost {
  struct Capabilities {
    bool pull = true;
    bool resolve = true;
    bool referrers = true;
    friend bool operator==(const Capabilities&, const Capabilities&) = default;
  };
  struct ClientPair {
    std::string certificate;
    std::string key;  ///< the same file where both are in one
    friend bool operator==(const ClientPair&, const ClientPair&) = default;
  };
  struct Header {
    std::string name;
    std::vector<std::string> values;
    friend bool operator==(const Header&, const Header&) = default;
  };

  std::string scheme = {};     ///< `https` or `http`
  std::string authority = {};  ///< host and port as written; empty: the registry's own
  std::string path = {};       ///< of the API, `/v2`: no slash at its end, may be empty
  Capabilities capabilities = {};
  std::vector<std::string> ca_files = {};
  std::vector<ClientPair> clients = {};
  std::optional<bool> skip_verify = {};
  std::vector<Header> headers = {};

  friend bool operator==(const RegistryHost&, const RegistryHost&) = default;
};

/// ParseHostsToml reads a hosts.toml as containerd 2.1 does: hosts in the order of the file, then
/// the server that its top describes, which is the registry's own where `server` is not said. Paths
/// of files are taken from `folder`. Names that containerd does not know are passed over, as it
/// does; `referrers` is a capability as of 2.2. Where containerd forgets a file that it cannot
/// read and asks the registry itself, this says what is wrong and where; and 1.7 passes over a file
/// that names no host. Pure.
tl::expected<std::vector<RegistryHost>, TomlError> ParseHostsToml(std::string_view text,
                                                                  const std::string& folder);

}  // namespace crivet::trust
