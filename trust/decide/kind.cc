// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/kind.h"

#include <algorithm>

namespace crivet::trust {

const Kind* FindKind(const Kinds& kinds, std::string_view name) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [name](const Kind* kind) { return kind->name() == name; });
  return found == kinds.end() ? nullptr : *found;
}

}  // namespace crivet::trust
