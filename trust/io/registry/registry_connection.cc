// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/registry_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "trust/base/percent_encoding.h"
#include "trust/base/quoted.h"
#include "trust/io/http/status_refusal.h"

namespace crivet::trust {
namespace {

constexpr int kMostRedirects = 2;

HttpClient::Options ClientOptions(const RegistryConnection::Options& options) {
  const RegistryHost& host = options.host.host;
  using Plain = HttpClient::Options::Plain;
  using Peer = HttpClient::Options::Peer;
  HttpClient::Options client;
  client.more_cas = options.host.cas;
  client.peer = host.skip_verify.value_or(false) ? Peer::kAnybody : Peer::kVerified;
  client.proxy = options.proxy;
  // Somebody has written down that it is asked in plain.
  client.plain = host.scheme == "http" ? Plain::kAnywhere : Plain::kLoopbackOnly;
  if (!host.clients.empty()) {
    client.client_cert = host.clients.front().certificate;
    client.client_key = host.clients.front().key;
  }
  return client;
}

HttpClient::Options ElsewhereOptions(const RegistryConnection::Options& options) {
  HttpClient::Options client = ClientOptions(options);
  client.client_cert.clear();
  client.client_key.clear();
  client.plain = HttpClient::Options::Plain::kLoopbackOnly;
  return client;
}

std::vector<std::string> RealmsOf(const RegistryConnection::Options& options) {
  std::vector<std::string> hosts = options.auth_hosts;
  if (options.host.host.authority == "registry-1.docker.io") hosts.emplace_back("auth.docker.io");
  return hosts;
}

std::string BaseOf(const HostToAsk& host, const std::string& scheme) {
  return scheme + "://" + host.host.authority;
}

std::string FirstScheme(const HostToAsk& host) {
  return host.tls_first ? "https" : host.host.scheme;
}

// The precondition makes it a URL.
HttpUrl ServerUrlOf(const HostToAsk& host) {
  return HttpUrl::Parse(BaseOf(host, FirstScheme(host))).value_or(HttpUrl{});
}

ServerSilence::Time SinceBootNow() {
  return std::chrono::duration_cast<ServerSilence::Time>(
      std::chrono::steady_clock::now().time_since_epoch());
}

tl::unexpected<FetchFailure> Failed(FetchCause cause) {
  return tl::unexpected(FetchFailure::Network(std::move(cause)));
}

bool IsRedirect(int status) {
  constexpr std::array kRedirects = {301, 302, 303, 307, 308};
  return std::find(kRedirects.begin(), kRedirects.end(), status) != kRedirects.end();
}

// Of a host that is named in the text itself; one with a name is judged when it is connected to.
AddressClass NearestOf(const HttpUrl& url) {
  std::string host = url.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const bool number = host.find_first_not_of("0123456789.") == std::string::npos;
  const bool v6 = host.find(':') != std::string::npos;
  if (number || v6) return ClassOfAddress(host);
  return url.IsLoopback() || host.ends_with(".localhost") ? AddressClass::kLoopback
                                                          : AddressClass::kPublic;
}

bool SpeaksNoTls(const FetchFailure& failure) {
  return failure.why && failure.why->kind == FetchCause::Kind::kTls &&
         failure.why->said.find("certificate") == std::string::npos;
}

// Under which name a refusal of the referrers is kept: no repository's.
std::string ReferrersOf(const RegistryQuestion& question) {
  return question.repository + " referrers";
}

bool AsksReferrers(const RegistryQuestion& question) {
  return question.what.starts_with("referrers/");
}

// Some registries, and what stands before them, let nobody near the referrers and everybody pull:
// only the registry's own no to them, whatever it says of how often it is asked.
bool RefusesReferrersAlone(const RegistryQuestion& question, const FetchFailure& failure) {
  return AsksReferrers(question) && failure.why &&
         failure.why->asked == FetchCause::Asked::kServer &&
         (failure.why->status == 401 || failure.why->status == 403);
}

bool IsEncoded(const HttpAnswer& answer) {
  return !answer.content_encoding.empty() && answer.content_encoding != "identity";
}

}  // namespace

RegistryConnection::RegistryConnection(const Options& options)
    : host_(options.host),
      by_proxy_(!options.proxy.empty()),
      client_(ClientOptions(options)),
      elsewhere_(ElsewhereOptions(options)),
      tokens_(client_, ServerUrlOf(host_), RealmsOf(options), options.note) {}

HttpUrl RegistryConnection::UrlOf(const RegistryQuestion& question) const {
  std::string text = BaseOf(host_, plain_ ? host_.host.scheme : FirstScheme(host_));
  text += host_.host.path + '/' + question.repository + '/' + question.what;
  std::string query = question.query;
  const bool tells = query.find("ns=") == 0 || query.find("&ns=") != std::string::npos;
  if (!host_.ns.empty() && !tells)
    query += (query.empty() ? "ns=" : "&ns=") + PercentEncoded(host_.ns);
  if (!query.empty()) text += '?' + query;
  return HttpUrl::Parse(text).value_or(HttpUrl{});
}

tl::expected<RegistryConnection::Answered, FetchFailure> RegistryConnection::Ask(
    const RegistryQuestion& question, const MetadataFetcher::Terms& terms) {
  const CredentialsClass asker = ClassOf(terms.credentials);
  const auto now = std::chrono::steady_clock::now();
  auto refused = refusals_.Of(question.repository, asker, now);
  if (!refused && AsksReferrers(question)) {
    refused = refusals_.Of(ReferrersOf(question), asker, now);
  }
  if (refused) return tl::unexpected(*std::move(refused));
  if (silence_.HeldBackBy(SinceBootNow())) {
    return Failed({.kind = FetchCause::Kind::kTimeout,
                   .host = name(),
                   .said = "it did not answer a moment ago, and is not waited for again so soon"});
  }
  HttpUrl url = UrlOf(question);
  HttpRequest request;
  request.method = question.method;
  request.url = url.text;
  request.caches = terms.caches;
  request.max_bytes = question.max_bytes;
  request.deadline = terms.deadline;
  request.patience = terms.patience;
  request.stop = terms.stop;
  for (const RegistryHost::Header& header : host_.host.headers) {
    for (const std::string& value : header.values) {
      request.headers.emplace_back(header.name + ": " + value);
    }
  }
  request.headers.emplace_back("Accept: " + question.accept);

  Asked answer = AskAuthorised(request, question, terms);
  if (!answer && host_.tls_first && !plain_ && SpeaksNoTls(answer.error())) {
    plain_ = true;
    url = UrlOf(question);
    request.url = url.text;
    answer = AskAuthorised(request, question, terms);
  }
  const bool sent_on = answer && IsRedirect(answer->status);
  if (sent_on) {
    answer = Followed(*std::move(answer), url, question, terms);
    // Nobody has written down who that is.
    if (answer) answer->date.reset();
  }
  if (answer && answer->status != 200) {
    answer = tl::unexpected(RefusalBy(*answer, url, terms.credentials));
  }
  if (answer && IsEncoded(*answer)) {
    answer = Failed({.kind = FetchCause::Kind::kWrongContent,
                     .host = name(),
                     .said = "it is encoded as " + Quoted(answer->content_encoding)});
  }
  if (answer) return Answered{*std::move(answer), std::move(url)};
  // Where it was sent on to has refused that one content, and nobody's credentials.
  if (!sent_on) {
    const bool alone = RefusesReferrersAlone(question, answer.error());
    refusals_.Note(alone ? ReferrersOf(question) : question.repository, asker, answer.error(), now);
  }
  return tl::unexpected(std::move(answer.error()));
}

RegistryConnection::Asked RegistryConnection::AskAuthorised(HttpRequest request,
                                                            const RegistryQuestion& question,
                                                            const MetadataFetcher::Terms& terms) {
  const TokenSource::Budget budget{terms.deadline, terms.patience, terms.stop, nullptr};
  auto authorization = tokens_.Known(question.repository, terms.credentials, budget);
  if (!authorization) return tl::unexpected(authorization.error());
  request.authorization = *authorization;
  Asked answer = AskHeard(request, question);
  const bool wants = answer && (answer->status == 401 || answer->status == 403);
  if (!wants || answer->challenges.empty()) return answer;
  authorization = tokens_.Answer(*answer, question.repository, terms.credentials, budget);
  if (!authorization) return tl::unexpected(authorization.error());
  request.authorization = *authorization;
  return AskHeard(request, question);
}

RegistryConnection::Asked RegistryConnection::AskHeard(const HttpRequest& request,
                                                       const RegistryQuestion& question) {
  HttpRequest heard = request;
  heard.arrival = std::make_shared<Arrival>();
  const ServerSilence::Time began = SinceBootNow();
  Asked answer = client_.Ask(heard);
  if (answer || heard.arrival->heard == Heard::kAnswer) {
    silence_.NoteAnswer(SinceBootNow());
  } else {
    silence_.NoteFailure(heard.arrival->heard, answer.error().cause,
                         {"registry", name(), question.repository}, began, SinceBootNow(),
                         ServerSilence::Company::kOthersThere);
  }
  return answer;
}

RegistryConnection::Asked RegistryConnection::Followed(HttpAnswer first, HttpUrl at,
                                                       const RegistryQuestion& question,
                                                       const MetadataFetcher::Terms& terms) {
  const bool unknown = by_proxy_ || first.from == AddressClass::kForbidden;
  const AddressClass reach = unknown ? AddressClass::kPublic : first.from;
  HttpAnswer answer = std::move(first);
  for (int followed = 0; IsRedirect(answer.status); ++followed) {
    const auto refused = [&](const HttpUrl& url, std::string why) {
      return Failed({.kind = FetchCause::Kind::kRedirect,
                     .host = Quoted(url.HostAndPort()),
                     .said = std::move(why)});
    };
    if (followed == kMostRedirects) return refused(at, "it sends on once more");
    const Result<HttpUrl> target = at.Resolve(answer.location);
    if (!target) return refused(at, "it names no address that is an http or https URL");
    if (!target->https) return refused(*target, "it is plain http");
    if (NearestOf(*target) > reach) {
      return refused(*target, "its address may not be asked from where it was named");
    }
    at = *target;
    HttpRequest request;
    request.method = question.method;
    request.url = at.text;
    request.headers.emplace_back("Accept: " + question.accept);
    request.max_bytes = question.max_bytes;
    request.deadline = terms.deadline;
    request.patience = terms.patience;
    request.stop = terms.stop;
    request.reach = reach;
    Asked next = elsewhere_.Ask(request);
    if (!next) return next;
    answer = *std::move(next);
  }
  return answer;
}

}  // namespace crivet::trust
