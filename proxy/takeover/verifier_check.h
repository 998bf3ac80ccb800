// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/takeover/containerd_config.h"

namespace crivet::proxy {

/// VerifierFolderOf is the folder whose programs this containerd asks about its own pulls; empty
/// where it has no such plugin. Pure.
std::optional<std::string> VerifierFolderOf(const ContainerdConfig& config);

/// VerifierGaps names what lets pulls past crivet-image-verifier, or keeps it from being asked,
/// although it is among `programs`, the names in that folder; nothing where it is not
/// (proxy/RULES.md#the-second-door). Each names the key of containerd's configuration. Pure.
std::vector<std::string> VerifierGaps(const ContainerdConfig& config,
                                      std::vector<std::string> programs);

/// Whether CRI's own pulls go by containerd's transfer service, as they do from 2.1 on unless a key
/// of its configuration keeps them from it. Pure.
bool PullsByTransferService(const ContainerdConfig& config);

}  // namespace crivet::proxy
