// SPDX-License-Identifier: Apache-2.0

// byte_relay LISTEN UPSTREAM: copies bytes between unix sockets, one thread, epoll. The floor for
// anything that stands in between: what it costs is what no proxy can avoid.

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr std::size_t kBuffer = 256 * 1024;

struct Connection;

// One end of a relayed connection: what was read from it waits for the other end to take it.
struct End {
  int fd = -1;
  Connection* connection = nullptr;
  std::vector<char> pending;
  std::size_t sent = 0;
  bool readable = false;
  bool writable = true;
};

struct Connection {
  End downstream;
  End upstream;
  bool dead = false;
};

int UnixSocket(const char* path, sockaddr_un* address) {
  std::memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  std::strncpy(address->sun_path, path, sizeof address->sun_path - 1);
  return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

End& Other(End& end) {
  return &end == &end.connection->downstream ? end.connection->upstream
                                             : end.connection->downstream;
}

// Moves what `from` has to say until one side would block. False once the connection is over.
bool Pump(End& from) {
  End& to = Other(from);
  for (;;) {
    while (from.sent < from.pending.size()) {
      if (!to.writable) return true;
      const ssize_t n = send(to.fd, from.pending.data() + from.sent,
                             from.pending.size() - from.sent, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno != EAGAIN) return false;
        to.writable = false;
        return true;
      }
      from.sent += static_cast<std::size_t>(n);
    }
    if (!from.readable) return true;
    from.pending.resize(kBuffer);
    const ssize_t n = recv(from.fd, from.pending.data(), kBuffer, 0);
    if (n <= 0) {
      from.pending.clear();
      from.sent = 0;
      if (n < 0 && errno == EAGAIN) {
        from.readable = false;
        return true;
      }
      return false;
    }
    from.pending.resize(static_cast<std::size_t>(n));
    from.sent = 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: byte_relay LISTEN UPSTREAM\n");
    return 64;
  }
  sockaddr_un address{};
  const int listener = UnixSocket(argv[1], &address);
  unlink(argv[1]);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 1024) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);

  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    std::vector<Connection*> over;
    for (int i = 0; i < count; ++i) {
      auto* end = static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (end == nullptr) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) continue;
        const int up = UnixSocket(argv[2], &address);
        if (connect(up, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
          close(fd);
          close(up);
          continue;
        }
        auto connection = std::make_unique<Connection>();
        connection->downstream.fd = fd;
        connection->upstream.fd = up;
        for (End* e : {&connection->downstream, &connection->upstream}) {
          e->connection = connection.get();
          const int size = 1 << 20;
          setsockopt(e->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
          event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
          event.data.ptr = e;
          epoll_ctl(poll, EPOLL_CTL_ADD, e->fd, &event);
        }
        connection.release();  // owned by its events until it is over
        continue;
      }
      Connection* connection = end->connection;
      if (connection->dead) continue;
      const auto what = events[static_cast<std::size_t>(i)].events;
      if (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end->readable = true;
      if (what & EPOLLOUT) end->writable = true;
      if (!Pump(*end) || !Pump(Other(*end))) {
        connection->dead = true;
        over.push_back(connection);
      }
    }
    for (Connection* connection : over) {
      close(connection->downstream.fd);
      close(connection->upstream.fd);
      delete connection;
    }
  }
}
