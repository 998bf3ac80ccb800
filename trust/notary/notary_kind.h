// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// Notary v1, which Docker calls Content Trust (trust/notary/FORMAT.md).
const Kind& NotaryKind();

}  // namespace crivet::trust
