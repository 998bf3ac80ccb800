// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/gate/node_review.h"
#include "proxy/runtime/runtime_facts.h"
#include "proxy/takeover/containerd_config.h"

namespace crivet::proxy {

/// HostFindings is what is wrong, or doubtful, about a configuration on the machine that it is for.
struct HostFindings {
  std::vector<std::string> wrong;
  std::vector<std::string> warnings;
  /// What is on the node and no rule would let run.
  std::vector<WouldBeRefused> refused;
  /// What was looked at for it; nothing where no runtime answered.
  std::optional<NodeInventory> inventory;
};

/// CheckHost looks at the runtime with its images and at systemd, as far as they are there. Blocks
/// for some seconds at most.
HostFindings CheckHost(const Config& config);

/// PlaceOnNode is where the node's crivet.service stands; beside where there is none. Blocks for a
/// few seconds at most.
Place PlaceOnNode();

/// PlaceOf reads the place from `systemctl show --property=ExecStart crivet.service`. Pure.
Place PlaceOf(std::string_view exec_start);

/// RuntimeWarnings is what CheckHost says of a runtime that answered. Pure.
std::vector<std::string> RuntimeWarnings(const Config& config, const RuntimeFacts& facts);

/// RegistryWarnings is what CheckHost says of a containerd that finds its way to registries by what
/// crivet does not read: other folders, its old mirrors, credentials and proxies of its own; each
/// with the line that cures it. Nothing where no registry is asked. Pure.
std::vector<std::string> RegistryWarnings(const Config& config, const ContainerdConfig& containerd,
                                          const std::vector<std::string>& environment);

/// SandboxByTagWarnings is what CheckHost says of a runtime (by the name that its Version tells)
/// that takes a verified sandbox image by a tag, which crivet cannot give it. Pure.
std::vector<std::string> SandboxByTagWarnings(const trust::Policy& policy,
                                              const std::string& runtime,
                                              const std::string& sandbox_image,
                                              trust::TimePoint now);

/// NoRuntimeAt is what CheckHost says of an upstream that is no socket; `others` are those of
/// runtimes that are on the machine. Pure.
std::string NoRuntimeAt(const std::string& upstream, const std::vector<std::string>& others);

/// ListenPathsOf reads the paths of `systemctl show --property=Listen`:
/// `Listen=/run/crivet/crivet.sock (Stream)`. Pure.
std::vector<std::string> ListenPathsOf(const std::string& shown);

}  // namespace crivet::proxy
