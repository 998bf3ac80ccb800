// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <string>

#include "trust/base/result.h"

namespace crivet::proxy {

/// RuntimeChannel is a channel to a runtime's unix socket for callers that may block: the command
/// line and the admin service. Messages of any size pass.
std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket);

/// BlockingContext is for one call that ends within `limit`, a runtime that is not there yet
/// included.
std::unique_ptr<grpc::ClientContext> BlockingContext(std::chrono::milliseconds limit);

/// RuntimeFailure is the error of a call that failed, in a sentence that says whether anybody
/// answered: kUnreachable where nobody did, with what the system says of the socket, kMalformed
/// where the answer was an error. A containerd without its CRI plugin is told by its name.
tl::unexpected<trust::Error> RuntimeFailure(const std::string& socket, const char* call,
                                            const grpc::Status& status);

}  // namespace crivet::proxy
