// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: all that is set on, and heard from, one request of libcurl.
#include "trust/io/http/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <utility>

#include "trust/io/http/address_class.h"
#include "trust/io/http/answer_headers.h"
#include "trust/io/http/curl_cause.h"

namespace crivet::trust {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kMaxRefusalBytes = 64 * 1024;
constexpr std::size_t kKeptRefusalBytes = 4096;
constexpr std::size_t kIdleHandles = 2;

// curl and OpenSSL write to sockets that the peer may have closed. The signal is kept from this
// thread alone, whatever the rest of the process does with it.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    if (!was_pending_) {
      const timespec at_once{};
      while (sigtimedwait(&pipe_, nullptr, &at_once) == -1 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// One request while curl works on it.
struct Exchange {
  CURL* handle = nullptr;
  std::size_t max_bytes = 0;
  std::chrono::milliseconds patience{};
  HttpAnswer answer;
  std::size_t header_bytes = 0;
  std::size_t refusal_bytes = 0;
  bool announces_too_much = false;
  bool too_large = false;
  bool flooded = false;  // endless headers
  bool stalled = false;
  bool stopped = false;
  Arrival* arrival = nullptr;
  AddressClass reach = AddressClass::kForbidden;
  bool out_of_reach = false;

  // The span in which something has to come: the first byte, then enough of the rest.
  Clock::time_point span_began;
  std::size_t arrived_before = 0;
  bool heard = false;

  bool Succeeded() const { return answer.status >= 200 && answer.status < 300; }
  std::size_t Arrived() const { return answer.body.size() + refusal_bytes; }
  std::chrono::milliseconds Span() const {
    return heard ? std::min(patience, HttpRequest::kRateWindow) : patience;
  }
  Clock::time_point SpanEnds() const { return span_began + Span(); }

  void BeginSpan(Clock::time_point now) {
    span_began = now;
    arrived_before = Arrived();
  }
  void Hear() {
    if (std::exchange(heard, true)) return;
    BeginSpan(Clock::now());
  }
  // Whether a span has ended in which too little came.
  bool Stalls(Clock::time_point now) {
    if (now < SpanEnds()) return false;
    const auto least = HttpRequest::kLeastRate * static_cast<std::size_t>(Span().count()) / 1000;
    if (!heard || Arrived() - arrived_before < least) return true;
    BeginSpan(now);
    if (arrival != nullptr) arrival->flows = true;
    return false;
  }
};

bool IsStatusLine(std::string_view line) {
  return line.starts_with("HTTP/") || line.starts_with("http/");
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, size * count);
  exchange.Hear();
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.flooded = true;
    return 0;
  }
  if (IsStatusLine(line)) {
    // A new block: what an interim answer (1xx) said does not count.
    exchange.answer = HttpAnswer{};
    exchange.announces_too_much = false;
    long status = 0;
    curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
    exchange.answer.status = static_cast<int>(status);
  }
  ReadHeaderLine(line, exchange.answer);
  const auto& length = exchange.answer.length;
  exchange.announces_too_much |= length && *length > exchange.max_bytes;
  return line.size();
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t bytes = size * count;
  if (!exchange.Succeeded()) {
    // The beginning may say why; the rest is drained so that the connection can be used again.
    const std::size_t room = kKeptRefusalBytes - exchange.answer.refusal.size();
    exchange.answer.refusal.append(data, std::min(bytes, room));
    exchange.refusal_bytes += bytes;
    return exchange.refusal_bytes > kMaxRefusalBytes ? 0 : bytes;
  }
  if (exchange.announces_too_much || bytes > exchange.max_bytes - exchange.answer.body.size()) {
    exchange.too_large = true;
    return 0;
  }
  exchange.answer.body.append(data, bytes);
  return bytes;
}

// The address is judged where it is connected to: a name that is looked up twice may lead to two.
curl_socket_t OpenSocket(void* context, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (ClassOfAddress(address->addr) > exchange.reach) {
    exchange.out_of_reach = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// What a request that curl gave up, or that was given up for it, says of the server.
Heard HeardOf(const Exchange& exchange, CURLcode code) {
  if (exchange.heard) return Heard::kAnswer;
  if (exchange.stopped) return Heard::kNothingToTell;
  long sent = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_REQUEST_SIZE, &sent);
  if (sent == 0 || IsTlsFailure(code)) return Heard::kNoConnection;
  // A server that hangs up at once keeps nobody waiting.
  const bool waited_out = exchange.stalled || code == CURLE_OPERATION_TIMEDOUT;
  return waited_out ? Heard::kNoFirstByte : Heard::kNothingToTell;
}

// Header lines of one request. curl copies what it is given, so the copies are wiped too.
class HeaderLines {
 public:
  ~HeaderLines() {
    for (curl_slist* line = lines_; line != nullptr; line = line->next) {
      std::fill_n(static_cast<volatile char*>(line->data), std::string_view(line->data).size(),
                  'x');
    }
    curl_slist_free_all(lines_);
  }
  HeaderLines() = default;
  HeaderLines(HeaderLines&& other) noexcept : lines_(std::exchange(other.lines_, nullptr)) {}
  HeaderLines& operator=(HeaderLines&&) = delete;

  void Add(const char* line) { lines_ = curl_slist_append(lines_, line); }
  curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

void ApplyOptions(CURL* handle, const HttpClient::Options& options) {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs must not keep its thread beyond the deadline.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "crivet");
  // Set even where empty: otherwise curl asks the environment.
  curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
  curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_file.c_str());
    // Debian's curl would go on trusting the system's folder of CAs beside the file.
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  // Else beside the system's folder of CAs.
  const std::string_view pem = options.only_cas.empty() ? options.more_cas : options.only_cas;
  if (!pem.empty()) {
    curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (options.peer == HttpClient::Options::Peer::kAnybody) {
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!options.client_cert.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERT, options.client_cert.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, options.client_key.c_str());
  }
}

void ApplyTimes(CURL* handle, std::chrono::milliseconds left, std::chrono::milliseconds patience) {
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(left, patience).count()));
}

void ApplyReach(CURL* handle, Exchange& exchange) {
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &exchange);
  // A connection that is kept was made for somebody who might go further.
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
}

void ApplyCallbacks(CURL* handle, Exchange& exchange) {
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
}

HeaderLines LinesOf(const HttpRequest& request) {
  HeaderLines lines;
  if (request.caches == HttpRequest::Caches::kMustAskServer) lines.Add("Cache-Control: no-cache");
  if (!request.authorization.empty()) {
    std::string line = "Authorization: ";
    line += request.authorization.view();
    lines.Add(Secret(std::move(line)).c_str());
  }
  for (const Secret& line : request.headers) lines.Add(line.c_str());
  return lines;
}

tl::unexpected<FetchFailure> Failed(FetchCause::Kind kind, const HttpUrl& url, const char* said) {
  return tl::unexpected(
      FetchFailure::Network({.kind = kind, .host = url.HostAndPort(), .said = said}));
}

tl::expected<HttpAnswer, FetchFailure> Judged(Exchange exchange, CURLcode code, const HttpUrl& url,
                                              const char* words) {
  using Kind = FetchCause::Kind;
  if (exchange.flooded) return Failed(Kind::kNotHttp, url, "its headers have no end");
  if (exchange.stalled || exchange.stopped) {
    return Failed(Kind::kTimeout, url, "nothing arrived in time");
  }
  if (exchange.too_large) return tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge, {}});
  if (exchange.out_of_reach && code != CURLE_OK) {
    return Failed(Kind::kRedirect, url, "its address may not be asked from where it was named");
  }
  // A refusal has said all that matters in its status line and headers.
  const bool refusal_cut_short = code == CURLE_WRITE_ERROR && !exchange.Succeeded();
  if (code != CURLE_OK && !refusal_cut_short) {
    return tl::unexpected(
        FetchFailure::Network(CurlCause(exchange.handle, code, words, url.HostAndPort())));
  }
  return std::move(exchange.answer);
}

AddressClass PeerOf(CURL* handle) {
  const char* address = nullptr;
  if (curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &address) != CURLE_OK || address == nullptr) {
    return AddressClass::kPublic;
  }
  return ClassOfAddress(std::string(address));
}

// curl's own loop, so that the exchange's limits are kept to the moment: curl_easy_perform looks at
// them once a second.
CURLcode Perform(CURLM* multi, Exchange& exchange, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  if (curl_multi_add_handle(multi, exchange.handle) != CURLM_OK) return CURLE_FAILED_INIT;
  CURLcode code = CURLE_OPERATION_TIMEDOUT;
  exchange.span_began = Clock::now();
  while (true) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      code = CURLE_FAILED_INIT;
      break;
    }
    if (running == 0) {
      int left = 0;
      if (const CURLMsg* message = curl_multi_info_read(multi, &left)) code = message->data.result;
      break;
    }
    exchange.stopped = stop.stop_requested();
    const Clock::time_point now = Clock::now();
    exchange.stalled = !exchange.stopped && exchange.Stalls(now);
    if (exchange.stopped || exchange.stalled) break;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(exchange.SpanEnds() - now);
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  // What has arrived whole has yet to be read: nobody turns away from it now.
  if (exchange.arrival != nullptr && code != CURLE_OK) exchange.arrival->flows = false;
  return code;
}

}  // namespace

// The handles that are not in use. Each keeps its connections.
class HttpClient::Handles {
 public:
  struct Handle {
    CURLM* multi = nullptr;
    CURL* easy = nullptr;
    explicit operator bool() const { return multi != nullptr && easy != nullptr; }
  };

  Handles() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }
  ~Handles() {
    for (const Handle& handle : idle_) CleanUp(handle);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  Handle Take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      const Handle made{curl_multi_init(), curl_easy_init()};
      if (made) return made;
      CleanUp(made);
      return {};
    }
    const Handle handle = idle_.back();
    idle_.pop_back();
    return handle;
  }

  void GiveBack(const Handle& handle) {
    curl_multi_remove_handle(handle.multi, handle.easy);
    curl_easy_reset(handle.easy);
    {
      const std::lock_guard lock(mutex_);
      if (idle_.size() < kIdleHandles) {
        idle_.push_back(handle);
        return;
      }
    }
    CleanUp(handle);
  }

 private:
  static void CleanUp(const Handle& handle) {
    curl_easy_cleanup(handle.easy);
    curl_multi_cleanup(handle.multi);
  }

  std::mutex mutex_;
  std::vector<Handle> idle_;
};

HttpClient::HttpClient(Options options)
    : options_(std::move(options)), handles_(std::make_unique<Handles>()) {}

HttpClient::~HttpClient() = default;

bool HttpClient::MayAsk(const HttpUrl& url) const {
  return url.https || url.IsLoopback() || options_.plain == Options::Plain::kAnywhere;
}

tl::expected<HttpAnswer, FetchFailure> HttpClient::Ask(const HttpRequest& request) {
  if (request.arrival) {
    request.arrival->heard = Heard::kNothingToTell;
    request.arrival->flows = false;
  }
  const Result<HttpUrl> url = HttpUrl::Parse(request.url);
  if (!url || !MayAsk(*url)) {
    return tl::unexpected(FetchFailure::Network(
        {.kind = FetchCause::Kind::kNotHttp, .said = "its address may not be asked"}));
  }
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline - Clock::now());
  if (left.count() <= 0) return Failed(FetchCause::Kind::kTimeout, *url, "no time was left");

  const Handles::Handle taken = handles_->Take();
  if (!taken) return Failed(FetchCause::Kind::kConnection, *url, "there is no memory for it");
  CURL* const handle = taken.easy;
  Exchange exchange;
  exchange.handle = handle;
  exchange.max_bytes = request.max_bytes;
  exchange.patience = request.patience;
  exchange.arrival = request.arrival.get();
  ApplyOptions(handle, options_);
  curl_easy_setopt(handle, CURLOPT_URL, url->text.c_str());
  ApplyTimes(handle, left, request.patience);
  ApplyCallbacks(handle, exchange);
  if (request.reach && options_.proxy.empty()) {
    exchange.reach = *request.reach;
    ApplyReach(handle, exchange);
  }
  if (request.method == HttpRequest::Method::kHead) curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  const HeaderLines headers = LinesOf(request);
  if (headers.get() != nullptr) curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  if (request.form) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.form->view().size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.form->c_str());
  }

  std::array<char, CURL_ERROR_SIZE> words{};
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words.data());
  CURLcode code = CURLE_OK;
  {
    const WithoutSigpipe guard;
    code = Perform(taken.multi, exchange, request.stop);
  }
  if (request.arrival) request.arrival->heard = HeardOf(exchange, code);
  // Without TLS nobody vouches for what time the server says it is.
  if (!url->https || options_.peer == Options::Peer::kAnybody) exchange.answer.date.reset();
  exchange.answer.from = PeerOf(handle);
  auto judged = Judged(std::move(exchange), code, *url, words.data());
  handles_->GiveBack(taken);
  return judged;
}

}  // namespace crivet::trust
