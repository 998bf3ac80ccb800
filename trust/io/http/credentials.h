// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// What a request may authenticate with; null: nothing, that is anonymously.
using SharedCredentials = std::shared_ptr<const RegistryCredentials>;

/// CredentialsClass tells credentials apart without being them: failures, tokens and flights are
/// kept for it (trust/RULES.md#credentials). The same for equal credentials; never leaves the
/// process.
using CredentialsClass = Sha256;

/// ClassOf nothing is a class too: everybody who asks anonymously.
CredentialsClass ClassOf(const SharedCredentials& credentials);

}  // namespace crivet::trust
