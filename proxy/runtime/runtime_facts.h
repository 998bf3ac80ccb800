// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// RuntimeFacts is what the runtime says of itself.
struct RuntimeFacts {
  std::string name;     ///< `containerd`
  std::string version;  ///< `1.7.24`
  /// The image of every sandbox, which the runtime pulls by itself; empty where it does not tell.
  std::string sandbox_image;
  /// Names of runtime handlers, as far as it lists them (since CRI 1.30).
  std::vector<std::string> handlers;
  /// Whether it tells by its own API what a container was made from.
  bool tells_origins = true;
};

/// AskRuntime calls Version, a verbose Status and containerd's own API at a unix socket. Errors are
/// sentences for people: kUnreachable where nobody answers within `limit`, with what the system
/// says of the socket; kMalformed where somebody answers with an error, with that. Blocks.
trust::Result<RuntimeFacts> AskRuntime(const std::string& socket, std::chrono::milliseconds limit);

}  // namespace crivet::proxy
