// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/http_fetcher.h"

#include <utility>

#include "trust/io/http/auth_file.h"
#include "trust/io/http/refusal_text.h"

namespace crivet::trust {
namespace {

HttpClient::Options ClientOptions(const TrustServer& server, const HttpUrl& url) {
  using Plain = HttpClient::Options::Plain;
  return {.ca_file = server.ca_file,
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
  FetchFailure failure = FetchFailure::Network(
      {.kind = FetchCause::Kind::kStatus,
       .host = url.HostAndPort(),
       .status = answer.status,
       .retry_after = answer.retry_after,
       .said = ReasonIn(answer.refusal, credentials ? Sent::kSecrets : Sent::kNothingSecret)});
  if (answer.status == 404) failure.kind = FetchFailure::Kind::kNotFound;
  return {tl::unexpected(std::move(failure)), answer.date};
}

// The failure with what the server was asked as.
FetchFailure AskedAs(FetchFailure failure, const std::string& asked_as) {
  if (!failure.why) return failure;
  FetchCause cause = *failure.why;
  cause.asked_as = asked_as;
  failure.why = std::make_shared<const FetchCause>(std::move(cause));
  return failure;
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

tl::expected<HttpFetcher::Identity, FetchFailure> HttpFetcher::IdentityFor(
    const std::string& scope, const Terms& terms) const {
  switch (server_.auth) {
    case TrustServer::Auth::kNone:
      return Identity{nullptr, "without credentials: auth = \"none\""};
    case TrustServer::Auth::kFromPull:
      if (terms.credentials) return Identity{terms.credentials, "with a pod's pull secret"};
      return Identity{nullptr,
                      "without credentials: no pull brought any that may go there (auth = "
                      "\"from-pull\")"};
    case TrustServer::Auth::kDockerConfig:
      break;
  }
  Result<AuthFileAnswer> found = CredentialsInAuthFile(server_.docker_config, url_, scope);
  if (found) return Identity{std::move(found->credentials), std::move(found->explanation)};
  return tl::unexpected(FetchFailure::Network(
      {.kind = FetchCause::Kind::kAuthFile, .said = std::move(found.error().detail)}));
}

MetadataFetcher::Answer HttpFetcher::Fetch(const FileRequest& request, const Terms& terms) {
  const tl::expected<Identity, FetchFailure> identity = IdentityFor(request.scope, terms);
  if (!identity) return {tl::unexpected(identity.error()), std::nullopt};
  Answer answer = FetchAs(identity->credentials, request, terms);
  if (!answer.fetched) {
    answer.fetched = tl::unexpected(AskedAs(std::move(answer.fetched.error()), identity->as));
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
