#include "trust/io/http_fetcher.h"

#include <utility>

#include "trust/io/auth_file.h"

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

MetadataFetcher::Answer Failed(NetworkCause cause) {
  return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, cause}), std::nullopt};
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

MetadataFetcher::Answer Judge(HttpAnswer answer) {
  MetadataFetcher::Answer result{tl::unexpected(FetchFailure{}), answer.date};
  if (answer.status == 200) {
    result.fetched = std::move(answer.body);
  } else if (answer.status == 404) {
    result.fetched = tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}});
  } else {
    result.fetched = Failed(AsksForCredentials(answer) ? NetworkCause::kCredentialsRefused
                                                       : NetworkCause::kServerError)
                         .fetched;
  }
  return result;
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
      note_(std::move(note)),
      client_(ClientOptions(server, url_)),
      tokens_(client_, url_, server.auth_hosts, note_) {}

tl::expected<SharedCredentials, FetchFailure> HttpFetcher::CredentialsFor(const Gun& gun,
                                                                          const Terms& terms) {
  switch (server_.auth) {
    case TrustServer::Auth::kNone:
      return SharedCredentials{};
    case TrustServer::Auth::kFromPull:
      return terms.credentials;
    case TrustServer::Auth::kDockerConfig:
      break;
  }
  Result<AuthFileAnswer> found = CredentialsInAuthFile(server_.docker_config, url_, gun);
  if (found) return std::move(found->credentials);
  if (note_) note_(found.error().detail);
  return tl::unexpected(
      FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kCredentialsRefused});
}

MetadataFetcher::Answer HttpFetcher::Fetch(const Gun& gun, const MetadataRequest& request,
                                           const Terms& terms) {
  const tl::expected<SharedCredentials, FetchFailure> credentials = CredentialsFor(gun, terms);
  if (!credentials) return {tl::unexpected(credentials.error()), std::nullopt};
  const TokenSource::Budget budget{terms.deadline, terms.patience, terms.stop};

  TokenSource::Authorization authorization = tokens_.Known(gun, *credentials, budget);
  if (!authorization) return {OfTokens(authorization.error(), terms), std::nullopt};
  HttpRequest ask;
  ask.url = server_.url + "/v2/" + PercentEncoded(gun.text(), "/:") + "/_trust/tuf/" +
            PercentEncoded(request.file, "/");
  ask.authorization = *authorization;
  ask.caches = terms.caches;
  ask.max_bytes = request.max_bytes;
  ask.deadline = terms.deadline;
  ask.patience = terms.patience;
  ask.stop = terms.stop;
  ask.arrival = terms.arrival;

  tl::expected<HttpAnswer, FetchFailure> answer = client_.Ask(ask);
  if (answer && AsksForCredentials(*answer) && !answer->challenges.empty()) {
    authorization = tokens_.Answer(answer->challenges, gun, *credentials, budget);
    if (!authorization) return {OfTokens(authorization.error(), terms), answer->date};
    ask.authorization = *authorization;
    answer = client_.Ask(ask);
  }
  if (!answer) return {tl::unexpected(answer.error()), std::nullopt};
  return Judge(*std::move(answer));
}

}  // namespace crivet::trust
