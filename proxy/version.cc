// SPDX-License-Identifier: Apache-2.0
#include "proxy/version.h"

namespace crivet::proxy {

std::string_view Version() { return CRIVET_VERSION; }

}  // namespace crivet::proxy
