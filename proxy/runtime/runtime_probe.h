// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// RuntimeView is what a socket says of the runtime behind it.
struct RuntimeView {
  std::string name;                     ///< of Version
  std::string version;                  ///< of Version
  std::vector<std::string> containers;  ///< IDs, sorted
  std::vector<std::string> sandboxes;   ///< IDs, sorted
};

/// ProbeKubelet makes the calls that kubelet makes at its start (Version, Status, ImageFsInfo,
/// ListPodSandbox, ListContainers, ListImages) on a unix socket. Errors as RuntimeFailure. Blocks;
/// waits up to `limit` for the socket and for the runtime behind it to be ready.
trust::Result<RuntimeView> ProbeKubelet(const std::string& socket_path,
                                        std::chrono::milliseconds limit);

/// ProbeCadvisor makes the calls of containerd's own API that kubelet's cAdvisor makes (version,
/// containers, tasks). Errors as RuntimeFailure.
trust::Result<void> ProbeCadvisor(const std::string& socket_path, std::chrono::milliseconds limit);

}  // namespace crivet::proxy
