#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config.h"
#include "proxy/runtime_facts.h"

namespace crivet::proxy {

/// NodeFindings is what is wrong, or doubtful, about a configuration on the machine that it is for.
struct NodeFindings {
  std::vector<std::string> wrong;
  std::vector<std::string> warnings;
};

/// CheckNode looks at the runtime and at systemd, as far as they are there; a machine without
/// either has no findings. Blocks for a few seconds at most.
NodeFindings CheckNode(const Config& config);

/// PlaceOnNode is where the node's crivet.service stands; beside where there is none. Blocks for a
/// few seconds at most.
Place PlaceOnNode();

/// PlaceOf reads the place from `systemctl show --property=ExecStart crivet.service`. Pure.
Place PlaceOf(std::string_view exec_start);

/// RuntimeWarnings is what CheckNode says of a runtime that answered. Pure.
std::vector<std::string> RuntimeWarnings(const Config& config, const RuntimeFacts& facts);

/// ListenPathsOf reads the paths of `systemctl show --property=Listen`:
/// `Listen=/run/crivet/crivet.sock (Stream)`. Pure.
std::vector<std::string> ListenPathsOf(const std::string& shown);

}  // namespace crivet::proxy
