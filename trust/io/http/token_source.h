// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trust/decide/file_request.h"
#include "trust/io/http/arrival.h"
#include "trust/io/http/bearer_challenge.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/http_client.h"
#include "trust/io/http/secret.h"

namespace crivet::trust {

/// TokenSource gets what a metadata request is authorised with (trust/notary/FORMAT.md#tokens). It
/// always asks for pulling one collection, whatever scope a server names, and sends credentials
/// only to the server's own host or one of `auth_hosts`, over https (or as plainly as the server
/// itself is asked). Tokens are kept until they expire, for those credentials alone. Thread-safe.
class TokenSource {
 public:
  struct Budget {
    std::chrono::steady_clock::time_point deadline;
    std::chrono::milliseconds patience;
    std::stop_token stop;
    std::shared_ptr<Arrival> arrival = nullptr;  ///< `tokens` of it is set
  };

  /// `client` must outlive it. `note` gets a line for people when a realm is refused.
  TokenSource(HttpClient& client, HttpUrl server, std::vector<std::string> auth_hosts,
              std::function<void(const std::string&)> note);

  using Authorization = tl::expected<Secret, FetchFailure>;

  /// What to send with a first attempt: a kept token, a new one where the server is known to want
  /// one, or nothing (empty).
  Authorization Known(const std::string& scope, const SharedCredentials& credentials,
                      const Budget& budget);

  /// What to send after the server refused with challenges. Whatever was kept for these credentials
  /// is dropped first. kCredentialsRefused where there is no way.
  Authorization Answer(const HttpAnswer& refusal, const std::string& scope,
                       const SharedCredentials& credentials, const Budget& budget);

 private:
  struct Kept {
    Secret authorization;
    std::chrono::steady_clock::time_point until;
  };
  using Key = std::pair<std::string, CredentialsClass>;

  Authorization AnswerBearer(const AuthChallenge& challenge, const std::string& scope,
                             const SharedCredentials& credentials, const Budget& budget);
  /// Nothing where credentials may go there.
  std::optional<FetchCause> WhyNotAsked(const Result<HttpUrl>& realm) const;
  void Note(const FetchCause& cause);
  void Keep(const Key& key, Kept kept);

  HttpClient& client_;
  const HttpUrl server_;
  const std::vector<std::string> auth_hosts_;
  const std::function<void(const std::string&)> note_;

  mutable std::mutex mutex_;
  std::map<Key, Kept> kept_;
  std::optional<AuthChallenge> last_challenge_;
  std::set<std::string> noted_;
};

}  // namespace crivet::trust
