// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "proxy/owned_fd.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// PeerCredentials are who connected, as the kernel saw it at connect time (SO_PEERCRED).
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Listener is a listening unix socket: its own, or one that systemd hands over
/// (proxy/RULES.md#taking-the-sockets-place). Not thread-safe; used by the router's loop alone once
/// it runs.
class Listener {
 public:
  struct Accepted {
    OwnedFd fd;  ///< non-blocking, close-on-exec
    PeerCredentials peer;
  };

  enum class AcceptOutcome {
    kAccepted,
    kNothing,    ///< nobody waits, or the one who did has gone
    kExhausted,  ///< no descriptor or memory left: who waits stays in the queue, try later
    kFailed,     ///< the socket itself is broken
  };

  /// Binds `path` and listens. Mode, owner and group are copied from the socket at `like`, so that
  /// whoever could ask the runtime can ask crivet; where `like` does not exist (yet) it is 0660.
  /// A stale socket (nobody listens) is replaced. Anything else at `path` is left alone and is an
  /// error: another process owns it. Fails with kState.
  static trust::Result<Listener> Bind(const std::string& path, const std::string& like);

  /// Bind for a socket that only this user may open: mode 0600 before it listens.
  static trust::Result<Listener> BindPrivate(const std::string& path);

  /// Takes the one listening unix stream socket that systemd passed (sd_listen_fds), if any; the
  /// environment variables are cleared. Fails with kState when what was passed is not that.
  static trust::Result<std::optional<Listener>> FromSystemd();

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  /// Removes the socket file, if it is still the one that Bind() made.
  ~Listener();

  AcceptOutcome Accept(Accepted& accepted);

  int fd() const { return fd_.get(); }
  /// The bound path, or the one systemd bound.
  const std::string& path() const { return path_; }

 private:
  static trust::Result<Listener> BindUnopened(const std::string& path);
  Listener(OwnedFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  OwnedFd fd_;
  std::string path_;
  // What identifies the socket file that is ours to remove; zero for an inherited one.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace crivet::proxy
