#pragma once

#include <string>
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

/// RuntimeWarnings is what CheckNode says of a runtime that answered. Pure.
std::vector<std::string> RuntimeWarnings(const Config& config, const RuntimeFacts& facts);

/// ListenPathsOf reads the paths of `systemctl show --property=Listen`:
/// `Listen=/run/crivet/crivet.sock (Stream)`. Pure.
std::vector<std::string> ListenPathsOf(const std::string& shown);

}  // namespace crivet::proxy
