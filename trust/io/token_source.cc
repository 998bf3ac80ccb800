#include "trust/io/token_source.h"

#include <algorithm>
#include <string_view>

#include "trust/core/json.h"

namespace crivet::trust {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxTokenBytes = 64 * 1024;
constexpr std::size_t kMaxKept = 1024;
constexpr std::size_t kMaxNoted = 16;
// NOTARY A.5: a shorter life than 60 s is taken for 60 s. The upper end is ours.
constexpr std::chrono::seconds kShortestLife{60};
constexpr std::chrono::seconds kLongestLife{3600};

tl::unexpected<FetchFailure> Refused(NetworkCause cause) {
  return tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, cause});
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
HttpRequest TokenRequest(const AuthChallenge& challenge, const HttpUrl& realm, const Gun& gun,
                         const SharedCredentials& credentials, const TokenSource::Budget& budget) {
  HttpRequest request;
  request.url = realm.text;
  request.max_bytes = kMaxTokenBytes;
  request.deadline = budget.deadline;
  request.patience = budget.patience;
  request.stop = budget.stop;
  const std::string wanted = "service=" + PercentEncoded(challenge.service) +
                             "&scope=" + PercentEncoded("repository:" + gun.text() + ":pull");
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

TokenSource::Authorization TokenSource::Known(const Gun& gun, const SharedCredentials& credentials,
                                              const Budget& budget) {
  if (credentials && IsBearerToken(credentials->registry_token)) {
    return Secret("Bearer " + credentials->registry_token);
  }
  std::optional<AuthChallenge> challenge;
  {
    const std::lock_guard lock(mutex_);
    const auto kept = kept_.find({gun, ClassOf(credentials)});
    if (kept != kept_.end() && Clock::now() < kept->second.until) return kept->second.authorization;
    challenge = last_challenge_;
  }
  if (!challenge) return Secret();
  // Answering what the server asked the last time saves the round in which it asks again.
  Authorization answer = AnswerBearer(*challenge, gun, credentials, budget);
  if (!answer) {
    const std::lock_guard lock(mutex_);
    last_challenge_.reset();
  }
  return answer;
}

TokenSource::Authorization TokenSource::Answer(const std::vector<std::string>& challenges,
                                               const Gun& gun, const SharedCredentials& credentials,
                                               const Budget& budget) {
  const Key key{gun, ClassOf(credentials)};
  {
    const std::lock_guard lock(mutex_);
    kept_.erase(key);
  }
  bool basic_offered = false;
  for (const std::string& header : challenges) {
    for (const AuthChallenge& challenge : ParseChallenges(header)) {
      if (challenge.scheme == AuthChallenge::Scheme::kBearer) {
        return AnswerBearer(challenge, gun, credentials, budget);
      }
      basic_offered = true;
    }
  }
  if (basic_offered && HasBasic(credentials)) {
    Secret authorization = BasicAuthorization(*credentials);
    Keep(key, {authorization, Clock::now() + kLongestLife});
    return authorization;
  }
  return Refused(NetworkCause::kCredentialsRefused);
}

TokenSource::Authorization TokenSource::AnswerBearer(const AuthChallenge& challenge, const Gun& gun,
                                                     const SharedCredentials& credentials,
                                                     const Budget& budget) {
  const Result<HttpUrl> realm = HttpUrl::Parse(challenge.realm);
  if (!realm || !MayTrust(*realm)) {
    NoteRefused(realm ? realm->host : std::string("(not a URL)"));
    return Refused(NetworkCause::kCredentialsRefused);
  }
  const HttpRequest request = TokenRequest(challenge, *realm, gun, credentials, budget);
  tl::expected<HttpAnswer, FetchFailure> answer = client_.Ask(request);
  if (!answer) return tl::unexpected(answer.error());
  // RFC 6749 5.2: a refresh token that is not good any more is answered with 400.
  const bool refused = answer->status == 401 || answer->status == 403 ||
                       (answer->status == 400 && request.form.has_value());
  if (refused) return Refused(NetworkCause::kCredentialsRefused);
  if (answer->status < 200 || answer->status > 299) return Refused(NetworkCause::kServerError);
  const std::optional<Token> token = ReadToken(answer->body);
  Wipe(answer->body);
  if (!token) return Refused(NetworkCause::kServerError);
  Secret authorization("Bearer " + std::string(token->text.view()));
  Keep({gun, ClassOf(credentials)}, {authorization, Clock::now() + token->life});
  const std::lock_guard lock(mutex_);
  last_challenge_ = challenge;
  return authorization;
}

bool TokenSource::MayTrust(const HttpUrl& realm) const {
  if (!client_.MayAsk(realm)) return false;
  if (realm.host == server_.host) return true;
  const std::string with_port = realm.host + ':' + std::to_string(realm.port);
  return std::any_of(auth_hosts_.begin(), auth_hosts_.end(), [&](const std::string& host) {
    return host == realm.host || host == with_port;
  });
}

void TokenSource::NoteRefused(const std::string& realm) {
  {
    const std::lock_guard lock(mutex_);
    if (noted_.size() >= kMaxNoted || !noted_.insert(realm).second) return;
  }
  if (note_) {
    note_(server_.text + " sends for tokens to " + realm +
          ", which is neither its own host nor one of auth_hosts: not followed");
  }
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
