// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trust/notary/refresh.h"

namespace crivet::trust {

/// ReadFromFolder answers a metadata request out of a folder as Notary's and Docker's clients leave
/// it (`root.json`, `timestamp.json`, `targets/releases.json`, …): the name that the server would
/// use, else the name without the hash. Not-found for everything that cannot be read; nothing is
/// judged here.
Fetched ReadFromFolder(const std::string& folder, const MetadataRequest& request);

}  // namespace crivet::trust
