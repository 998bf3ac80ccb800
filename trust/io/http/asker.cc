// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/asker.h"

#include <utility>

#include "trust/io/http/auth_file.h"

namespace crivet::trust {

FetchFailure Asker::Told(FetchFailure failure) const {
  if (!failure.why) return failure;
  FetchCause cause = *failure.why;
  cause.asked_as = as;
  failure.why = std::make_shared<const FetchCause>(std::move(cause));
  return failure;
}

tl::expected<Asker, FetchFailure> AskerFor(const TrustServer& settings, const HttpUrl& url,
                                           const std::string& scope,
                                           const SharedCredentials& of_pull) {
  switch (settings.auth) {
    case TrustServer::Auth::kNone:
      return Asker{nullptr, "without credentials: auth = \"none\""};
    case TrustServer::Auth::kFromPull:
      if (of_pull) return Asker{of_pull, "with a pod's pull secret"};
      return Asker{nullptr,
                   "without credentials: no pull brought any that may go there (auth = "
                   "\"from-pull\")"};
    case TrustServer::Auth::kDockerConfig:
      break;
  }
  Result<AuthFileAnswer> found = CredentialsInAuthFile(settings.docker_config, url, scope);
  if (found) return Asker{std::move(found->credentials), std::move(found->explanation)};
  return tl::unexpected(FetchFailure::Network(
      {.kind = FetchCause::Kind::kAuthFile, .said = std::move(found.error().detail)}));
}

}  // namespace crivet::trust
