// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/http_url.h"

namespace crivet::trust {

/// AuthFileAnswer is what a file of credentials has for one collection.
struct AuthFileAnswer {
  SharedCredentials credentials;  ///< null: none
  /// The entry that they stand in; where there are none, why. For people, without secrets.
  std::string explanation;
};

/// CredentialsInAuthFile reads a Docker `config.json` as Docker and kubelet do. First counts the
/// entry of the trust server itself (`host:port`, then `host`), unless that is the collection's own
/// registry; then, of the entries that the collection lies under, the one with the longest path:
/// whole components, as podman compares them.
/// `*`, `?` and `[…]` match within a component of a host's name, a port only itself; a literal name
/// counts before one with wildcards. Entries without credentials are passed over; helper programs
/// (`credsStore`, `credHelpers`) are never run. kMalformed where the file cannot be read, is larger
/// than 1 MiB, or is not such a file; kState where it may not be read. Blocks on the disk.
Result<AuthFileAnswer> CredentialsInAuthFile(const std::string& path, const HttpUrl& server,
                                             const std::string& collection);

/// DoubtsOfAuthFile is what in such a file gives no credentials to anybody, for `crivet check`:
/// each in words that follow the file's name. kMalformed where the text is none. Pure.
Result<std::vector<std::string>> DoubtsOfAuthFile(std::string_view text);

}  // namespace crivet::trust
