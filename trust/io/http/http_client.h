// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/decide/refresh.h"
#include "trust/io/http/address_class.h"
#include "trust/io/http/answer_headers.h"
#include "trust/io/http/arrival.h"
#include "trust/io/http/http_url.h"
#include "trust/io/http/secret.h"

namespace crivet::trust {

struct HttpRequest {
  std::string url;
  Secret authorization;        ///< value of the header; empty: none is sent
  std::optional<Secret> form;  ///< set: POST of this form
  enum class Method : std::uint8_t { kGet, kHead } method = Method::kGet;
  /// Whole lines, without their ends.
  std::vector<Secret> headers = {};
  /// How far the address may be from which it is answered, judged when it is connected to; unset:
  /// anywhere. Where a proxy is configured, the proxy connects, and nothing is judged.
  std::optional<AddressClass> reach = std::nullopt;
  enum class Caches : std::uint8_t { kMayAnswer, kMustAskServer } caches = Caches::kMayAnswer;
  /// Of the body of a 2xx answer; more is refused while it arrives, or before where it is
  /// announced.
  std::size_t max_bytes = 0;
  /// The request ends by then, whatever arrives.
  std::chrono::steady_clock::time_point deadline;
  /// It also ends where the first byte of an answer takes longer than that, or what comes after it
  /// less than kLeastRate, over every kRateWindow (over the patience, where that is shorter): a
  /// large file may go on as long as it flows, a drip may not.
  std::chrono::milliseconds patience{5000};
  static constexpr std::size_t kLeastRate = 16 * 1024;  ///< bytes a second
  static constexpr std::chrono::milliseconds kRateWindow{5000};
  /// It also ends when this asks for it.
  std::stop_token stop;
  /// May be null.
  std::shared_ptr<Arrival> arrival = nullptr;
};

/// `date` of it is only set where TLS vouches for who said so.
struct HttpAnswer : AnswerHeaders {
  int status = 0;
  std::string body;     ///< empty unless the status is 2xx
  std::string refusal;  ///< the beginning of what any other answer says
  /// Where it was answered from; the proxy, where there is one.
  AddressClass from = AddressClass::kPublic;
};

/// HttpClient talks to one server and its token realms over libcurl: TLS 1.2 or later, only the
/// configured CA where one is given, no redirects, no proxy and no credentials from the
/// environment, no cookies, no compression. Connections are kept and used again. Thread-safe;
/// requests run side by side on their callers' threads.
class HttpClient {
 public:
  struct Options {
    std::string ca_file;  ///< empty: the system's
    /// In PEM, in place of ca_file's content; empty: that is read.
    std::string only_cas = {};
    /// In PEM, beside the system's; not together with ca_file.
    std::string more_cas = {};
    /// Whether TLS has to show that the server is who it should be.
    enum class Peer : std::uint8_t { kVerified, kAnybody } peer = Peer::kVerified;
    std::string client_cert;
    std::string client_key;
    std::string proxy;  ///< empty: none
    enum class Plain : std::uint8_t { kLoopbackOnly, kAnywhere } plain = Plain::kLoopbackOnly;
  };

  explicit HttpClient(Options options);
  ~HttpClient();

  /// An answer of any status, or why there is none. Redirects are answers too.
  tl::expected<HttpAnswer, FetchFailure> Ask(const HttpRequest& request);

  /// Whether a request may go there at all: https, or plain http as the options say.
  bool MayAsk(const HttpUrl& url) const;

 private:
  class Handles;
  const Options options_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace crivet::trust
