// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "trust/io/http/http_client.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/server_silence.h"
#include "trust/io/http/token_source.h"
#include "trust/io/registry/refusal_memory.h"
#include "trust/io/registry/registry_hosts.h"

namespace crivet::trust {

/// RegistryQuestion is one request below a host's API.
struct RegistryQuestion {
  HttpRequest::Method method = HttpRequest::Method::kGet;
  std::string repository;  ///< without its registry
  std::string what;        ///< `manifests/1.0`
  std::string query = {};  ///< encoded, without the question mark
  std::string accept;
  std::size_t max_bytes = 0;
};

/// RegistryConnection asks one host of a registry: authorised as it wants, sent on by it within the
/// limits of trust/RULES.md#asking-a-registry, and left alone while it refuses or is silent.
/// Thread-safe.
class RegistryConnection {
 public:
  struct Options {
    HostToAsk host;
    std::vector<std::string> auth_hosts;
    std::string proxy;
    std::function<void(const std::string&)> note;
  };
  /// Precondition: the host is not broken, and its address one that HttpUrl reads.
  explicit RegistryConnection(const Options& options);

  struct Answered {
    HttpAnswer answer;
    HttpUrl at;  ///< what was asked; where that was sent on to does not show
  };
  /// The answer where it is 200, from wherever the host sends on to. Every other status is a
  /// failure with its FetchCause, 404 kNotFound. Nothing of `terms` but times, stop and credentials
  /// counts.
  tl::expected<Answered, FetchFailure> Ask(const RegistryQuestion& question,
                                           const MetadataFetcher::Terms& terms);

  const HostToAsk& host() const { return host_; }
  std::string name() const { return host_.host.authority; }

 private:
  using Asked = tl::expected<HttpAnswer, FetchFailure>;

  HttpUrl UrlOf(const RegistryQuestion& question) const;
  Asked AskAuthorised(HttpRequest request, const RegistryQuestion& question,
                      const MetadataFetcher::Terms& terms);
  Asked AskHeard(const HttpRequest& request, const RegistryQuestion& question);
  Asked Followed(HttpAnswer first, HttpUrl at, const RegistryQuestion& question,
                 const MetadataFetcher::Terms& terms);

  const HostToAsk host_;
  const bool by_proxy_;
  HttpClient client_;
  /// For where the host sends on to: without its client certificate.
  HttpClient elsewhere_;
  TokenSource tokens_;
  ServerSilence silence_;
  RefusalMemory refusals_;
  /// Whether it has turned out to speak no TLS.
  std::atomic<bool> plain_{false};
};

}  // namespace crivet::trust
