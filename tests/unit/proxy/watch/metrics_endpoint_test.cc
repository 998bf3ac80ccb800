// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "proxy/owned_fd.h"

namespace crivet::proxy {
namespace {

/// A connection to the endpoint that speaks bytes.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) ==
                  0);
  }

  void Send(const std::string& text) {
    BOOST_REQUIRE(send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(text.size()));
  }

  /// Everything until the other side ends.
  std::string Receive() {
    std::string all;
    std::array<char, 4096> buffer;
    while (true) {
      const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (n <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  OwnedFd fd_;
};

std::unique_ptr<MetricsEndpoint> Serve(std::function<std::string()> render) {
  auto endpoint = MetricsEndpoint::Create("127.0.0.1:0", std::move(render));
  BOOST_REQUIRE(endpoint);
  return std::move(*endpoint);
}

std::string Ask(std::uint16_t port, const std::string& request) {
  Client client(port);
  client.Send(request);
  return client.Receive();
}

BOOST_AUTO_TEST_SUITE(MetricsEndpointTest)

BOOST_AUTO_TEST_CASE(Metrics_AreAnswered) {
  const auto endpoint = Serve([] { return std::string("a 1\n"); });
  BOOST_TEST(Ask(endpoint->port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") ==
             "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
             "Content-Length: 4\r\nConnection: close\r\n\r\na 1\n");
}

BOOST_AUTO_TEST_CASE(OtherPathsAndMethods_AreRefused) {
  const auto endpoint = Serve([] { return std::string(); });
  BOOST_TEST(Ask(endpoint->port(), "GET /metricsx HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
  BOOST_TEST(Ask(endpoint->port(), "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
}

BOOST_AUTO_TEST_CASE(LargeAnswer_ArrivesWhole) {
  const auto endpoint = Serve([] { return std::string(8 * 1024 * 1024, 'x'); });
  BOOST_TEST(Ask(endpoint->port(), "GET /metrics HTTP/1.0\r\n\r\n").size() > 8U * 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(EndlessRequest_IsCutOff) {
  const auto endpoint = Serve([] { return std::string("never"); });
  BOOST_TEST(Ask(endpoint->port(), std::string(10'000, 'x')).empty());
}

BOOST_AUTO_TEST_CASE(ClientThatSaysNothing_DelaysNobodyAndNotTheEnd) {
  auto endpoint = Serve([] { return std::string("a 1\n"); });
  const Client silent(endpoint->port());
  BOOST_TEST(Ask(endpoint->port(), "GET /metrics HTTP/1.1\r\n\r\n").ends_with("a 1\n"));
  const auto begin = std::chrono::steady_clock::now();
  endpoint.reset();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds{2}));
}

BOOST_AUTO_TEST_CASE(SilentClientsInAnyNumber_DelayNoScrape) {
  const auto endpoint = Serve([] { return std::string("a 1\n"); });
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 600; ++i) silent.push_back(std::make_unique<Client>(endpoint->port()));
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(Ask(endpoint->port(), "GET /metrics HTTP/1.1\r\n\r\n").ends_with("a 1\n"));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds{2}));
}

BOOST_AUTO_TEST_CASE(ClientsThatDoNotRead_DelayNoScrape) {
  const auto endpoint = Serve([] { return std::string(8 * 1024 * 1024, 'x'); });
  std::vector<std::unique_ptr<Client>> deaf;
  for (int i = 0; i < 20; ++i) {
    deaf.push_back(std::make_unique<Client>(endpoint->port()));
    deaf.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(Ask(endpoint->port(), "GET /metrics HTTP/1.1\r\n\r\n").size() > 8U * 1024 * 1024);
  // Were it after them, it would be served when their five seconds are over.
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds{4}));
}

BOOST_AUTO_TEST_CASE(TakenAddress_IsAnError) {
  const auto endpoint = Serve([] { return std::string(); });
  const auto second = MetricsEndpoint::Create("127.0.0.1:" + std::to_string(endpoint->port()),
                                              [] { return std::string(); });
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().reason == trust::Reason::kState));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
