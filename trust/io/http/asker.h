// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "trust/decide/file_request.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/http_url.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// Asker is who crivet is to a server in one request.
struct Asker {
  SharedCredentials credentials;
  std::string as;  ///< for people

  /// The failure with what the server was asked as.
  FetchFailure Told(FetchFailure failure) const;
};

/// AskerFor chooses by the configuration of `settings`: nobody, whoever the pull brought
/// (`of_pull`, null: nobody), or what the auth file has for `url` and the repository `scope`.
/// Blocks on the disk for the latter; fails where the file cannot be read.
tl::expected<Asker, FetchFailure> AskerFor(const TrustServer& settings, const HttpUrl& url,
                                           const std::string& scope,
                                           const SharedCredentials& of_pull);

}  // namespace crivet::trust
