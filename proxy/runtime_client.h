#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>

namespace crivet::proxy {

/// RuntimeChannel is a channel to a runtime's unix socket for callers that may block: the command
/// line and the admin service. Messages of any size pass.
std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket);

/// BlockingContext is for one call that ends within `limit`, a runtime that is not there yet
/// included.
std::unique_ptr<grpc::ClientContext> BlockingContext(std::chrono::milliseconds limit);

}  // namespace crivet::proxy
