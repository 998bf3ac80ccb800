// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::Reason;

// As large as the kernel allows (net.core.somaxconn caps it): a connection that waits while crivet
// restarts or has no descriptor left is better than one that is refused.
constexpr int kBacklog = 4096;

constexpr mode_t kDefaultMode = 0660;

tl::unexpected<trust::Error> FailErrno(const std::string& what) {
  const int error = errno;
  return Fail(Reason::kState, what + ": " + std::strerror(error));
}

std::optional<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

enum class Occupant { kNobody, kStaleSocket, kListening, kNotASocket };

// Tells who is at `path`. Only ECONNREFUSED proves that a socket is stale: it is what the kernel
// says when the file is a socket and no process holds the other end.
Occupant OccupantOf(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return Occupant::kNobody;
  if (!S_ISSOCK(status.st_mode)) return Occupant::kNotASocket;
  const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Occupant::kListening;
  const int connected =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return connected != 0 && errno == ECONNREFUSED ? Occupant::kStaleSocket : Occupant::kListening;
}

}  // namespace

// Bound with mode 0600, not listening yet.
trust::Result<Listener> Listener::BindUnopened(const std::string& path) {
  const auto address = AddressOf(path);
  if (!address) return Fail(Reason::kState, path + ": not usable as the path of a unix socket");

  switch (OccupantOf(path, *address)) {
    case Occupant::kNobody:
      break;
    case Occupant::kStaleSocket:
      if (::unlink(path.c_str()) != 0) return FailErrno(path);
      break;
    case Occupant::kListening:
      return Fail(Reason::kState, path + ": another process listens on this socket");
    case Occupant::kNotASocket:
      return Fail(Reason::kState, path + ": exists and is not a socket");
  }

  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return FailErrno("socket");
  // Closed to everybody until mode and owner are set; nobody can connect before listen() anyway.
  if (::fchmod(fd.get(), 0600) != 0) return FailErrno(path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return FailErrno(path);
  }
  struct stat bound {};
  if (::lstat(path.c_str(), &bound) != 0) return FailErrno(path);
  Listener listener(std::move(fd), path);
  listener.device_ = bound.st_dev;
  listener.inode_ = bound.st_ino;
  return listener;
}

trust::Result<Listener> Listener::BindPrivate(const std::string& path) {
  auto listener = BindUnopened(path);
  if (!listener) return listener;
  if (::listen(listener->fd(), kBacklog) != 0) return FailErrno(path);
  return listener;
}

trust::Result<Listener> Listener::Bind(const std::string& path, const std::string& like) {
  auto listener = BindUnopened(path);
  if (!listener) return listener;
  struct stat bound {};
  if (::lstat(path.c_str(), &bound) != 0) return FailErrno(path);
  struct stat model {};
  const bool has_model = ::stat(like.c_str(), &model) == 0;
  if (has_model && (model.st_uid != bound.st_uid || model.st_gid != bound.st_gid) &&
      ::chown(path.c_str(), model.st_uid, model.st_gid) != 0 && errno != EPERM) {
    // EPERM: crivet runs as its own user; the group bits below then speak for its own group.
    return FailErrno(path);
  }
  const mode_t mode = has_model ? (model.st_mode & 0777) : kDefaultMode;
  if (::chmod(path.c_str(), mode) != 0) return FailErrno(path);
  if (::listen(listener->fd(), kBacklog) != 0) return FailErrno(path);
  return listener;
}

trust::Result<std::optional<Listener>> Listener::FromSystemd() {
  const int count = ::sd_listen_fds(/*unset_environment=*/1);
  if (count < 0) return Fail(Reason::kState, std::string("LISTEN_FDS: ") + std::strerror(-count));
  if (count == 0) return std::optional<Listener>{};
  if (count != 1) {
    return Fail(Reason::kState, "systemd passed " + std::to_string(count) +
                                    " sockets, expected one listening unix socket");
  }
  OwnedFd fd(SD_LISTEN_FDS_START);
  if (::sd_is_socket_unix(fd.get(), SOCK_STREAM, /*listening=*/1, nullptr, 0) <= 0) {
    return Fail(Reason::kState, "what systemd passed is not a listening unix stream socket");
  }
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) return FailErrno("fcntl");

  sockaddr_un address{};
  socklen_t length = sizeof address;
  std::string path;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    path = address.sun_path;
  }
  return std::optional<Listener>(Listener(std::move(fd), std::move(path)));
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      device_(std::exchange(other.device_, 0)),
      inode_(std::exchange(other.inode_, 0)) {}

Listener::~Listener() {
  if (inode_ == 0) return;
  struct stat status {};
  // The path may belong to a successor by now: a restart, or containerd after `crivet release`.
  const bool still_ours =
      ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (still_ours) ::unlink(path_.c_str());
}

Listener::AcceptOutcome Listener::Accept(Accepted& accepted) {
  const int fd = ::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    switch (errno) {
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return AcceptOutcome::kExhausted;
      case EAGAIN:
      case EINTR:
      case ECONNABORTED:
        return AcceptOutcome::kNothing;
      default:
        return AcceptOutcome::kFailed;
    }
  }
  accepted.fd = OwnedFd(fd);
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) {
    accepted.peer = {credentials.pid, credentials.uid, credentials.gid};
  } else {
    accepted.peer = {};
  }
  return AcceptOutcome::kAccepted;
}

}  // namespace crivet::proxy
