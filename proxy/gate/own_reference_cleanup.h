// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "trust/base/result.h"

namespace crivet::proxy {

/// RemoveOwnReferences takes all names of crivet's own away from the runtime at a unix socket, by
/// their label, and returns how many there were. The images keep their other names, and containers
/// go on. kUnreachable where the runtime does not answer; a runtime without containerd's own API
/// has none. Blocks, up to `limit` for each call.
trust::Result<int> RemoveOwnReferences(const std::string& socket, std::chrono::milliseconds limit);

}  // namespace crivet::proxy
