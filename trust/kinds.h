// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// The kinds of trust that crivet knows.
const Kinds& AllKinds();

}  // namespace crivet::trust
