// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/runtime_client.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxy/owned_fd.h"
#include "proxy/steady_deadline.h"

namespace crivet::proxy {
namespace {

// What a person is told of a socket where nobody answers; empty where it can be opened.
std::string TroubleWith(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return "its path is too long";
  path.copy(address.sun_path, path.size());
  const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe ||
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return {};
  }
  switch (errno) {
    case ENOENT:
      return "there is no such socket";
    case ECONNREFUSED:
      return "nobody listens there";
    case EACCES:
      return fmt::format("user {} may not ask it", geteuid());
    default:
      return std::strerror(errno);
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> BlockingContext(std::chrono::milliseconds limit) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(limit));
  context->set_wait_for_ready(true);
  return context;
}

tl::unexpected<trust::Error> RuntimeFailure(const std::string& socket, const char* call,
                                            const grpc::Status& status) {
  const bool no_cri = status.error_code() == grpc::StatusCode::UNIMPLEMENTED &&
                      status.error_message().find("service runtime.v1.") != std::string::npos;
  if (no_cri) {
    return trust::Fail(
        trust::Reason::kMalformed,
        fmt::format(
            "a runtime answers at {}, but serves no CRI v1 ({}): is the cri plugin disabled "
            "in containerd's configuration (disabled_plugins)?",
            socket, status.error_message()));
  }
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE &&
      status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
    return trust::Fail(
        trust::Reason::kMalformed,
        fmt::format("the runtime at {} answers {} with an error: {} (code {})", socket, call,
                    status.error_message(), static_cast<int>(status.error_code())));
  }
  std::string trouble = TroubleWith(socket);
  if (trouble.empty()) trouble = status.error_message();
  return trust::Fail(trust::Reason::kUnreachable,
                     fmt::format("the runtime does not answer at {}{}{}", socket,
                                 trouble.empty() ? "" : ": ", trouble));
}

}  // namespace crivet::proxy
