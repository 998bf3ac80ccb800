// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/http_fetcher.h"

#include <utility>

#include "trust/io/http/asker.h"
#include "trust/io/http/status_refusal.h"

namespace crivet::trust {
namespace {

HttpClient::Options ClientOptions(const TrustServer& server, const HttpUrl& url) {
  using Plain = HttpClient::Options::Plain;
  return {.ca_file = server.ca_file,
          .only_cas = server.authorities,
          .client_cert = server.client_cert,
          .client_key = server.client_key,
          .proxy = server.proxy,
          // A server that is asked over https cannot send for tokens without it.
          .plain = server.insecure_http && !url.https ? Plain::kAnywhere : Plain::kLoopbackOnly};
}

// What keeps silent here may be another host than the trust server, or be slow for one secret
// alone.
tl::unexpected<FetchFailure> OfTokens(const FetchFailure& failure,
                                      const MetadataFetcher::Terms& terms) {
  if (terms.arrival) terms.arrival->heard = Heard::kNotAsked;
  return tl::unexpected(failure);
}

bool AsksForCredentials(const HttpAnswer& answer) {
  return answer.status == 401 || answer.status == 403;
}

MetadataFetcher::Answer Judge(HttpAnswer answer, const HttpUrl& url,
                              const SharedCredentials& credentials) {
  if (answer.status == 200) return {std::move(answer.body), answer.date};
  return {tl::unexpected(RefusalBy(answer, url, credentials)), answer.date};
}

}  // namespace

Result<std::unique_ptr<HttpFetcher>> HttpFetcher::Create(
    const TrustServer& server, std::function<void(const std::string&)> note) {
  Result<HttpUrl> url = HttpUrl::Parse(server.url);
  if (!url) return tl::unexpected(url.error());
  if (!url->https && !url->IsLoopback() && !server.insecure_http) {
    return Fail(Reason::kMalformed, server.url + " is neither https nor on this machine");
  }
  return std::unique_ptr<HttpFetcher>(new HttpFetcher(server, *std::move(url), std::move(note)));
}

HttpFetcher::HttpFetcher(const TrustServer& server, HttpUrl url,
                         std::function<void(const std::string&)> note)
    : server_(server),
      url_(std::move(url)),
      client_(ClientOptions(server, url_)),
      tokens_(client_, url_, server.auth_hosts, std::move(note)) {}

MetadataFetcher::Answer HttpFetcher::Fetch(const FileRequest& request, const Terms& terms) {
  const auto asker = AskerFor(server_, url_, request.scope, terms.credentials);
  if (!asker) return {tl::unexpected(asker.error()), std::nullopt};
  Answer answer = FetchAs(asker->credentials, request, terms);
  if (!answer.fetched) {
    answer.fetched = tl::unexpected(asker->Told(std::move(answer.fetched.error())));
  }
  return answer;
}

MetadataFetcher::Answer HttpFetcher::FetchAs(const SharedCredentials& credentials,
                                             const FileRequest& request, const Terms& terms) {
  const TokenSource::Budget budget{terms.deadline, terms.patience, terms.stop, terms.arrival};

  TokenSource::Authorization authorization = tokens_.Known(request.scope, credentials, budget);
  if (!authorization) return {OfTokens(authorization.error(), terms), std::nullopt};
  HttpRequest ask;
  ask.url = server_.url + request.path;
  ask.authorization = *authorization;
  ask.caches = terms.caches;
  ask.max_bytes = request.max_bytes;
  ask.deadline = terms.deadline;
  ask.patience = terms.patience;
  ask.stop = terms.stop;
  ask.arrival = terms.arrival;

  tl::expected<HttpAnswer, FetchFailure> answer = client_.Ask(ask);
  if (answer && AsksForCredentials(*answer) && !answer->challenges.empty()) {
    authorization = tokens_.Answer(*answer, request.scope, credentials, budget);
    if (!authorization) return {OfTokens(authorization.error(), terms), answer->date};
    ask.authorization = *authorization;
    answer = client_.Ask(ask);
  }
  if (!answer) return {tl::unexpected(answer.error()), std::nullopt};
  return Judge(*std::move(answer), url_, credentials);
}

}  // namespace crivet::trust
