// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// Repositories of TUF 1.0: one signed map of images for a whole registry or fleet
/// (trust/tuf1/FORMAT.md).
const Kind& TufKind();

}  // namespace crivet::trust
