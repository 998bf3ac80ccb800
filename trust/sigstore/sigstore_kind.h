// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// SigstoreKind is `kind = "sigstore"`: images that cosign signed with a key, their signatures
/// beside them in the registry (trust/sigstore/FORMAT.md).
const Kind& SigstoreKind();

}  // namespace crivet::trust
