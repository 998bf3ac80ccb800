// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/credentials.h"

#include <string>

#include "trust/io/http/secret.h"

namespace crivet::trust {

RegistryCredentials::~RegistryCredentials() {
  Wipe(username);
  Wipe(password);
  Wipe(identity_token);
  Wipe(registry_token);
}

CredentialsClass ClassOf(const SharedCredentials& credentials) {
  if (!credentials) return CredentialsClass{};
  std::string all;
  for (const std::string* part :
       {&credentials->username, &credentials->password, &credentials->identity_token,
        &credentials->registry_token, &credentials->server_address}) {
    all += std::to_string(part->size()) + ':' + *part;
  }
  const CredentialsClass result = Sha256Of(all);
  Wipe(all);
  return result;
}

}  // namespace crivet::trust
