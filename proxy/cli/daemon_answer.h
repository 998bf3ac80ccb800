// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string>

namespace crivet::proxy::cli {

/// WhyNoAnswer is what to tell of a call to the daemon that failed: why nobody answers at its admin
/// socket, and what to do, or what the daemon itself said.
std::string WhyNoAnswer(const std::string& admin, const grpc::Status& status);

}  // namespace crivet::proxy::cli
