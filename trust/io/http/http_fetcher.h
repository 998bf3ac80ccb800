// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "trust/io/http/http_client.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/token_source.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// HttpFetcher asks a server over HTTP: exactly 200 is an
/// answer, 404 is not-found, 401 and 403 lead to the token flow once, everything else is the
/// server's error. Bytes are limited while they arrive, redirects never followed
/// (trust/RULES.md#limits).
class HttpFetcher final : public MetadataFetcher {
 public:
  /// kMalformed where the server's URL is none that may be asked. `note` gets lines for people.
  static Result<std::unique_ptr<HttpFetcher>> Create(const TrustServer& server,
                                                     std::function<void(const std::string&)> note);

  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  HttpFetcher(const TrustServer& server, HttpUrl url, std::function<void(const std::string&)> note);

  Answer FetchAs(const SharedCredentials& credentials, const FileRequest& request,
                 const Terms& terms);

  const TrustServer server_;
  const HttpUrl url_;
  HttpClient client_;
  TokenSource tokens_;
};

}  // namespace crivet::trust
