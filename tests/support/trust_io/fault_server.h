// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/trust_io/tls_identity.h"

struct ssl_st;
struct ssl_ctx_st;

namespace crivet::trust {

/// FaultServer is an HTTP/1.1 server on a loopback port that answers as a test tells it to, also in
/// ways that no server should. One thread a connection; connections are kept between requests.
class FaultServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< lower-case names
    std::string body;

    std::string Header(const std::string& name) const {
      const auto found = headers.find(name);
      return found == headers.end() ? "" : found->second;
    }
  };

  /// Exchange is one request and the way to answer it.
  class Exchange {
   public:
    const Request& request() const { return request_; }

    /// A whole answer with Content-Length.
    void Reply(int status, std::string_view body, const std::string& headers = "");
    /// Bytes as they are; false where the client is gone.
    bool Send(std::string_view bytes);
    /// Ends the connection after this answer.
    void Close() { keep_ = false; }
    /// Returns when the client has gone, or the server stops.
    void UntilClientGoes();
    /// Whether the client is still there after that long.
    bool StaysFor(std::chrono::milliseconds pause);

   private:
    friend class FaultServer;
    Exchange(FaultServer& server, int socket, ssl_st* tls)
        : server_(server), socket_(socket), tls_(tls) {}
    FaultServer& server_;
    int socket_;
    ssl_st* tls_;
    Request request_;
    bool keep_ = true;
  };

  using Answer = std::function<void(Exchange&)>;

  struct Tls {
    TlsIdentity identity;
    std::string client_ca = {};  ///< set: clients must show a certificate of this CA
    bool at_most_tls_1_1 = false;
  };

  explicit FaultServer(Answer answer, std::optional<Tls> tls = std::nullopt);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::uint16_t port() const { return port_; }
  /// `http(s)://HOST:PORT`
  std::string Url(const std::string& host = "127.0.0.1") const;

  std::vector<Request> requests() const;
  std::size_t connections() const;

 private:
  void Accept();
  void Serve(int socket);
  bool ReadRequest(Exchange& exchange, std::string& buffer);
  long ReadSome(Exchange& exchange, char* into, std::size_t size);
  bool Readable(int socket, std::chrono::milliseconds patience) const;

  const Answer answer_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> tls_;
  const bool is_tls_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::size_t connections_ = 0;
  std::list<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace crivet::trust
