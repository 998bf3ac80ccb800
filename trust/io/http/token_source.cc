// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/token_source.h"

#include <algorithm>
#include <string_view>

#include "trust/base/percent_encoding.h"
#include "trust/base/quoted.h"
#include "trust/io/http/refusal_text.h"
#include "trust/signed/json.h"

namespace crivet::trust {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxTokenBytes = 64 * 1024;
constexpr std::size_t kMaxKept = 1024;
constexpr std::size_t kMaxNoted = 16;
// trust/notary/FORMAT.md#tokens: a shorter life than 60 s is taken for 60 s. The upper end is ours.
constexpr std::chrono::seconds kShortestLife{60};
constexpr std::chrono::seconds kLongestLife{3600};

tl::unexpected<FetchFailure> Refused(FetchCause cause) {
  return tl::unexpected(FetchFailure::Network(std::move(cause)));
}

// What the token server answered, as far as it says why.
FetchCause CauseIn(const HttpAnswer& answer, FetchCause::Kind kind, const HttpUrl& realm,
                   const SharedCredentials& credentials) {
  return {.kind = kind,
          .asked = FetchCause::Asked::kTokenServer,
          .host = realm.HostAndPort(),
          .status = answer.status,
          .retry_after = answer.retry_after,
          .said = ReasonIn(answer.refusal, credentials ? Sent::kSecrets : Sent::kNothingSecret)};
}

// RFC 6750 b64token. Anything else could end the header line and begin another.
bool IsBearerToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
}

bool HasBasic(const SharedCredentials& credentials) {
  return credentials && !credentials->username.empty() && !credentials->password.empty();
}

Secret BasicAuthorization(const RegistryCredentials& credentials) {
  const Secret pair(credentials.username + ':' + credentials.password);
  return Secret("Basic " + ToBase64(AsBytes(pair.view())));
}

// `realm` keeps its own query.
HttpRequest TokenRequest(const AuthChallenge& challenge, const HttpUrl& realm,
                         const std::string& scope, const SharedCredentials& credentials,
                         const TokenSource::Budget& budget) {
  HttpRequest request;
  request.url = realm.text;
  request.max_bytes = kMaxTokenBytes;
  request.deadline = budget.deadline;
  request.patience = budget.patience;
  request.stop = budget.stop;
  const std::string wanted = "service=" + PercentEncoded(challenge.service) +
                             "&scope=" + PercentEncoded("repository:" + scope + ":pull");
  if (credentials && !credentials->identity_token.empty()) {
    request.form = Secret("grant_type=refresh_token&client_id=crivet&" + wanted +
                          "&refresh_token=" + PercentEncoded(credentials->identity_token));
    return request;
  }
  request.url += (realm.text.find('?') == std::string::npos ? '?' : '&') + wanted;
  if (HasBasic(credentials)) {
    request.url += "&account=" + PercentEncoded(credentials->username);
    request.authorization = BasicAuthorization(*credentials);
  }
  return request;
}

struct Token {
  Secret text;
  std::chrono::seconds life = kShortestLife;
};

std::optional<Token> ReadToken(const std::string& body) {
  const Result<JsonDocument> document =
      JsonDocument::Parse(body, JsonLimits{.max_bytes = kMaxTokenBytes, .max_values = 1024});
  if (!document) return std::nullopt;
  Token token;
  for (const char* name : {"access_token", "token"}) {
    const std::optional<JsonValue> value = document->root().Find(name);
    const std::string_view text = value ? value->AsString().value_or("") : "";
    if (text.empty()) continue;
    if (!IsBearerToken(text)) return std::nullopt;
    token.text = Secret(std::string(text));
    break;
  }
  if (token.text.empty()) return std::nullopt;
  if (const std::optional<JsonValue> life = document->root().Find("expires_in")) {
    token.life = std::clamp(std::chrono::seconds(life->AsInteger().value_or(0)), kShortestLife,
                            kLongestLife);
  }
  return token;
}

}  // namespace

TokenSource::TokenSource(HttpClient& client, HttpUrl server, std::vector<std::string> auth_hosts,
                         std::function<void(const std::string&)> note)
    : client_(client),
      server_(std::move(server)),
      auth_hosts_(std::move(auth_hosts)),
      note_(std::move(note)) {}

TokenSource::Authorization TokenSource::Known(const std::string& scope,
                                              const SharedCredentials& credentials,
                                              const Budget& budget) {
  if (credentials && IsBearerToken(credentials->registry_token)) {
    return Secret("Bearer " + credentials->registry_token);
  }
  std::optional<AuthChallenge> challenge;
  {
    const std::lock_guard lock(mutex_);
    const auto kept = kept_.find({scope, ClassOf(credentials)});
    if (kept != kept_.end() && Clock::now() < kept->second.until) return kept->second.authorization;
    challenge = last_challenge_;
  }
  if (!challenge) return Secret();
  // Answering what the server asked the last time saves the round in which it asks again.
  Authorization answer = AnswerBearer(*challenge, scope, credentials, budget);
  if (!answer) {
    const std::lock_guard lock(mutex_);
    last_challenge_.reset();
  }
  return answer;
}

TokenSource::Authorization TokenSource::Answer(const HttpAnswer& refusal, const std::string& scope,
                                               const SharedCredentials& credentials,
                                               const Budget& budget) {
  const Key key{scope, ClassOf(credentials)};
  {
    const std::lock_guard lock(mutex_);
    kept_.erase(key);
  }
  bool basic_offered = false;
  for (const std::string& header : refusal.challenges) {
    for (const AuthChallenge& challenge : ParseChallenges(header)) {
      if (challenge.scheme == AuthChallenge::Scheme::kBearer) {
        return AnswerBearer(challenge, scope, credentials, budget);
      }
      basic_offered = true;
    }
  }
  if (basic_offered && HasBasic(credentials)) {
    Secret authorization = BasicAuthorization(*credentials);
    Keep(key, {authorization, Clock::now() + kLongestLife});
    return authorization;
  }
  return Refused(
      {.kind = basic_offered ? FetchCause::Kind::kStatus : FetchCause::Kind::kNoChallenge,
       .host = server_.HostAndPort(),
       .status = refusal.status,
       .said = ReasonIn(refusal.refusal, credentials ? Sent::kSecrets : Sent::kNothingSecret)});
}

TokenSource::Authorization TokenSource::AnswerBearer(const AuthChallenge& challenge,
                                                     const std::string& scope,
                                                     const SharedCredentials& credentials,
                                                     const Budget& budget) {
  const Result<HttpUrl> realm = HttpUrl::Parse(challenge.realm);
  if (std::optional<FetchCause> cause = WhyNotAsked(realm)) {
    Note(*cause);
    return Refused(*std::move(cause));
  }
  HttpRequest request = TokenRequest(challenge, *realm, scope, credentials, budget);
  request.arrival = std::make_shared<Arrival>();
  tl::expected<HttpAnswer, FetchFailure> answer = client_.Ask(request);
  if (budget.arrival) budget.arrival->tokens = request.arrival->heard.load();
  if (!answer) {
    // An answer that is too large has no cause, and must not be taken for the file's.
    FetchCause cause = answer.error().why ? *answer.error().why
                                          : FetchCause{.kind = FetchCause::Kind::kTokenAnswer,
                                                       .host = realm->HostAndPort()};
    cause.asked = FetchCause::Asked::kTokenServer;
    return Refused(std::move(cause));
  }
  // RFC 6749 5.2: a refresh token that is not good any more is answered with 400.
  const bool refused = answer->status == 401 || answer->status == 403 ||
                       (answer->status == 400 && request.form.has_value());
  if (refused || answer->status < 200 || answer->status > 299) {
    const auto kind = refused ? FetchCause::Kind::kTokenRefused : FetchCause::Kind::kStatus;
    return Refused(CauseIn(*answer, kind, *realm, credentials));
  }
  const std::optional<Token> token = ReadToken(answer->body);
  Wipe(answer->body);
  if (!token) {
    return Refused(CauseIn(*answer, FetchCause::Kind::kTokenAnswer, *realm, credentials));
  }
  Secret authorization("Bearer " + std::string(token->text.view()));
  Keep({scope, ClassOf(credentials)}, {authorization, Clock::now() + token->life});
  const std::lock_guard lock(mutex_);
  last_challenge_ = challenge;
  return authorization;
}

std::optional<FetchCause> TokenSource::WhyNotAsked(const Result<HttpUrl>& realm) const {
  using Kind = FetchCause::Kind;
  if (!realm) return FetchCause{.kind = Kind::kRealmNotUrl, .host = server_.HostAndPort()};
  if (!client_.MayAsk(*realm)) {
    return FetchCause{.kind = Kind::kRealmNotHttps, .host = Quoted(realm->HostAndPort())};
  }
  if (realm->host == server_.host) return std::nullopt;
  const std::string with_port = realm->host + ':' + std::to_string(realm->port);
  const bool named = std::any_of(
      auth_hosts_.begin(), auth_hosts_.end(),
      [&](const std::string& host) { return host == realm->host || host == with_port; });
  if (named) return std::nullopt;
  return FetchCause{.kind = Kind::kRealmElsewhere, .host = Quoted(realm->HostAndPort())};
}

void TokenSource::Note(const FetchCause& cause) {
  const std::string line = server_.text + ": " + Explained(cause);
  {
    const std::lock_guard lock(mutex_);
    if (noted_.size() >= kMaxNoted || !noted_.insert(line).second) return;
  }
  if (note_) note_(line);
}

void TokenSource::Keep(const Key& key, Kept kept) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxKept) {
    std::erase_if(kept_,
                  [now = Clock::now()](const auto& entry) { return entry.second.until <= now; });
  }
  if (kept_.size() >= kMaxKept) kept_.erase(kept_.begin());
  kept_.insert_or_assign(key, std::move(kept));
}

}  // namespace crivet::trust
