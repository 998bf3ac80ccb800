// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/fault_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace crivet::trust {
namespace {

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

void Check(bool done) {
  if (!done) throw std::runtime_error("the fault server cannot start");
}

X509* CertificateIn(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

Context ContextFor(const std::optional<FaultServer::Tls>& tls) {
  if (!tls) return {nullptr, SSL_CTX_free};
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  X509* certificate = CertificateIn(tls->identity.certificate);
  BIO* bio = BIO_new_mem_buf(tls->identity.key.data(), static_cast<int>(tls->identity.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  Check(SSL_CTX_use_certificate(context.get(), certificate) == 1 &&
        SSL_CTX_use_PrivateKey(context.get(), key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (tls->at_most_tls_1_1) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  }
  if (!tls->client_ca.empty()) {
    X509* authority = CertificateIn(tls->client_ca);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

std::string Trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" \t"));
  text.erase(text.find_last_not_of(" \t\r") + 1);
  return text;
}

}  // namespace

FaultServer::FaultServer(Answer answer, std::optional<Tls> tls)
    : answer_(std::move(answer)), tls_(ContextFor(tls)), is_tls_(tls.has_value()) {
  signal(SIGPIPE, SIG_IGN);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  Check(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        listen(listener_, 64) == 0 &&
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        pipe2(stop_pipe_, O_CLOEXEC) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

FaultServer::~FaultServer() {
  close(stop_pipe_[1]);  // wakes everybody who polls the other end
  accepting_.join();
  for (std::thread& thread : serving_) thread.join();
  close(listener_);
  close(stop_pipe_[0]);
}

std::string FaultServer::Url(const std::string& host) const {
  return (is_tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_);
}

std::vector<FaultServer::Request> FaultServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t FaultServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

// False where the time is over, or the server stops.
bool FaultServer::Readable(int socket, std::chrono::milliseconds patience) const {
  std::array<pollfd, 2> polled{pollfd{socket, POLLIN, 0}, pollfd{stop_pipe_[0], POLLIN, 0}};
  const int ready = poll(polled.data(), polled.size(), static_cast<int>(patience.count()));
  return ready > 0 && polled[1].revents == 0;
}

void FaultServer::Accept() {
  while (Readable(listener_, std::chrono::milliseconds(-1))) {
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex_);
    ++connections_;
    serving_.emplace_back([this, accepted] { Serve(accepted); });
  }
}

void FaultServer::Serve(int socket) {
  SSL* tls = nullptr;
  bool open = true;
  if (is_tls_) {
    tls = SSL_new(tls_.get());
    SSL_set_fd(tls, socket);
    open = SSL_accept(tls) == 1;
  }
  std::string buffer;
  while (open) {
    Exchange exchange(*this, socket, tls);
    if (!ReadRequest(exchange, buffer)) break;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(exchange.request_);
    }
    answer_(exchange);
    open = exchange.keep_;
  }
  if (tls != nullptr) SSL_free(tls);
  ERR_clear_error();
  close(socket);
}

long FaultServer::ReadSome(Exchange& exchange, char* into, std::size_t size) {
  const bool buffered = exchange.tls_ != nullptr && SSL_pending(exchange.tls_) > 0;
  if (!buffered && !Readable(exchange.socket_, std::chrono::milliseconds(-1))) return 0;
  if (exchange.tls_ != nullptr) return SSL_read(exchange.tls_, into, static_cast<int>(size));
  return read(exchange.socket_, into, size);
}

bool FaultServer::ReadRequest(Exchange& exchange, std::string& buffer) {
  std::array<char, 4096> piece{};
  const auto more = [&] {
    const long got = ReadSome(exchange, piece.data(), piece.size());
    if (got > 0) buffer.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
  };
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
    // A client that speaks TLS to a server that does not is told in plain words, as Go's does.
    constexpr char kTlsHandshake = 0x16;
    if (buffer.front() == kTlsHandshake) {
      exchange.Send("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request\n");
      return false;
    }
  }
  Request& request = exchange.request_;
  std::size_t line_end = buffer.find("\r\n");
  const std::string first = buffer.substr(0, line_end);
  request.method = first.substr(0, first.find(' '));
  request.target =
      first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
  while (line_end < end) {
    const std::size_t next = buffer.find("\r\n", line_end + 2);
    const std::string line = buffer.substr(line_end + 2, next - line_end - 2);
    std::string name = line.substr(0, line.find(':'));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = Trimmed(line.substr(line.find(':') + 1));
    line_end = next;
  }
  buffer.erase(0, end + 4);
  const std::string length = request.Header("content-length");
  const std::size_t body = length.empty() ? 0 : std::stoul(length);
  while (buffer.size() < body) {
    if (!more()) return false;
  }
  request.body = buffer.substr(0, body);
  buffer.erase(0, body);
  return true;
}

bool FaultServer::Exchange::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = tls_ != nullptr
                          ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      keep_ = false;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void FaultServer::Exchange::Reply(int status, std::string_view body, const std::string& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Status\r\n" + headers;
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  Send(head + std::string(body));
}

void FaultServer::Exchange::UntilClientGoes() {
  server_.Readable(socket_, std::chrono::milliseconds(-1));
  keep_ = false;
}

bool FaultServer::Exchange::StaysFor(std::chrono::milliseconds pause) {
  std::array<pollfd, 2> polled{pollfd{socket_, POLLIN, 0},
                               pollfd{server_.stop_pipe_[0], POLLIN, 0}};
  const bool stays = poll(polled.data(), polled.size(), static_cast<int>(pause.count())) == 0;
  if (!stays) keep_ = false;
  return stays;
}

}  // namespace crivet::trust
