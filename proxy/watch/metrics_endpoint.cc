// SPDX-License-Identifier: Apache-2.0

// A library for this would bring two threads and two seconds to stop, which `drain` cannot spare.
#include "proxy/watch/metrics_endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "proxy/owned_fd.h"

namespace crivet::proxy {
namespace {

using Clock = std::chrono::steady_clock;

// Those that have not asked yet cost a descriptor; those that are answered the text as well.
constexpr std::size_t kMostSilent = 256;
constexpr std::size_t kMostAnswered = 16;
constexpr int kBacklog = 256;
constexpr std::size_t kMaxRequestBytes = 8 * 1024;
constexpr std::chrono::seconds kPatience{5};

tl::unexpected<trust::Error> FailErrno(const std::string& address) {
  return trust::Fail(trust::Reason::kState, fmt::format("cannot serve metrics on {}: {}", address,
                                                        std::generic_category().message(errno)));
}

trust::Result<OwnedFd> ListenOn(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  sockaddr_storage where{};
  socklen_t size = 0;
  if (address.front() == '[') {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&where);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &v6->sin6_addr);
    size = sizeof(*v6);
  } else {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&where);
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &v4->sin_addr);
    size = sizeof(*v4);
  }
  OwnedFd fd(socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    return FailErrno(address);
  }
  return fd;
}

std::string Response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

class MetricsEndpoint::Server {
 public:
  Server(OwnedFd listening, OwnedFd wake, std::function<std::string()> render)
      : listening_(std::move(listening)),
        wake_(std::move(wake)),
        render_(std::move(render)),
        thread_([this] { Serve(); }) {}

  ~Server() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
    thread_.join();
  }

  std::uint16_t port() const {
    sockaddr_storage where{};
    socklen_t size = sizeof(where);
    getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&where), &size);
    return ntohs(where.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&where)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&where)->sin_port);
  }

 private:
  struct Connection {
    OwnedFd fd;
    Clock::time_point deadline;
    std::string request;
    std::string response;  ///< what is left to send, once the request is whole
    bool over = false;
  };

  void Serve() {
    while (true) {
      std::vector<pollfd> watched = {{wake_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
      for (const Connection& c : connections_) {
        watched.push_back(
            {c.fd.get(), static_cast<short>(c.response.empty() ? POLLIN : POLLOUT), 0});
      }
      if (poll(watched.data(), watched.size(), TimeoutMs()) < 0 && errno != EINTR) return;
      if (watched[0].revents != 0) return;
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (watched[i + 2].revents == 0 || connections_[i].over) continue;
        Advance(connections_[i]);
        MakeRoom();
      }
      if (watched[1].revents != 0) {
        Accept();
        MakeRoom();
      }
      const auto now = Clock::now();
      std::erase_if(connections_, [&](const Connection& c) { return c.over || c.deadline <= now; });
    }
  }

  int TimeoutMs() const {
    if (connections_.empty()) return -1;
    auto first = Clock::time_point::max();
    for (const Connection& c : connections_) first = std::min(first, c.deadline);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
    return std::max(0, static_cast<int>(left.count()));
  }

  void Accept() {
    OwnedFd fd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
      connections_.push_back({std::move(fd), Clock::now() + kPatience, {}, {}});
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // The connection stays in the queue; without a pause poll would come back at once.
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
  }

  // The oldest first: who asks at once and reads is gone before it is the oldest.
  void MakeRoom() {
    std::size_t silent = 0;
    std::size_t answered = 0;
    for (auto c = connections_.rbegin(); c != connections_.rend(); ++c) {
      if (c->over) continue;
      const bool is_silent = c->response.empty();
      if ((is_silent ? ++silent : ++answered) > (is_silent ? kMostSilent : kMostAnswered)) {
        c->over = true;
        c->response = {};
      }
    }
  }

  void Advance(Connection& c) {
    if (c.response.empty()) Read(c);
    if (!c.over && !c.response.empty()) Write(c);
  }

  void Read(Connection& c) {
    std::array<char, 4096> buffer;
    const ssize_t n = recv(c.fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      c.over = true;
      return;
    }
    c.request.append(buffer.data(), static_cast<std::size_t>(n));
    if (c.request.find("\r\n\r\n") != std::string::npos) {
      c.response = Answer(c.request);
    } else if (c.request.size() > kMaxRequestBytes) {
      c.over = true;
    }
  }

  std::string Answer(std::string_view request) const {
    const std::string_view line = request.substr(0, request.find("\r\n"));
    if (!line.starts_with("GET ")) {
      return Response("405 Method Not Allowed", "text/plain", "only GET\n");
    }
    const std::string_view target = line.substr(4, line.find(' ', 4) - 4);
    if (target != "/metrics" && !target.starts_with("/metrics?")) {
      return Response("404 Not Found", "text/plain", "the metrics are at /metrics\n");
    }
    return Response("200 OK", "text/plain; version=0.0.4; charset=utf-8", render_());
  }

  void Write(Connection& c) {
    const ssize_t n = send(c.fd.get(), c.response.data(), c.response.size(), MSG_NOSIGNAL);
    if (n < 0) {
      c.over = errno != EAGAIN && errno != EINTR;
      return;
    }
    c.response.erase(0, static_cast<std::size_t>(n));
    c.over = c.response.empty();
  }

  OwnedFd listening_;
  OwnedFd wake_;
  std::function<std::string()> render_;
  std::vector<Connection> connections_;  // the thread's alone; the oldest first
  std::thread thread_;                   // last: it uses all of the above
};

trust::Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Create(
    const std::string& address, std::function<std::string()> render) {
  auto listening = ListenOn(address);
  if (!listening) return tl::unexpected(listening.error());
  OwnedFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return FailErrno(address);
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(
      std::make_unique<Server>(std::move(*listening), std::move(wake), std::move(render))));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Server> server) : server_(std::move(server)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

std::uint16_t MetricsEndpoint::port() const { return server_->port(); }

}  // namespace crivet::proxy
