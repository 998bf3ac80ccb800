// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// NotationKind is `kind = "notation"`: images with signatures of the Notary Project, X.509 and an
/// envelope in JWS or COSE, beside them in the registry (trust/notation/FORMAT.md).
const Kind& NotationKind();

}  // namespace crivet::trust
