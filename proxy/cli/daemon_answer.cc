// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/daemon_answer.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "proxy/owned_fd.h"

namespace crivet::proxy::cli {
namespace {

/// The error of a connection to a unix socket; 0 where it can be made.
int ConnectError(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  const OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  return connect(fd.get(), where, sizeof(address)) == 0 ? 0 : errno;
}

}  // namespace

std::string WhyNoAnswer(const std::string& admin, const grpc::Status& status) {
  const bool away = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                    status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  // The daemon is there, and says what it could not do.
  if (!away) return status.error_message();
  const int error = ConnectError(admin);
  std::string why = error == 0 ? status.error_message() : std::generic_category().message(error);
  if (error == ENOENT || error == ECONNREFUSED) {
    why += " (does it run? systemctl status crivet)";
  } else if (error == EACCES || error == EPERM) {
    why += fmt::format(" for user {}: ask as root", geteuid());
  } else if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    why = "it took the connection and said nothing (does it hang? journalctl -u crivet)";
  }
  return fmt::format("the daemon does not answer at {}: {}", admin, why);
}

}  // namespace crivet::proxy::cli
