// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trust/decide/file_request.h"

namespace crivet::trust {

/// ReadFromFolder answers a request out of a folder that a person filled: the first of the names
/// that the request has for one. Not-found for everything that cannot be read; nothing is judged
/// here.
Fetched ReadFromFolder(const std::string& folder, const FileRequest& request);

}  // namespace crivet::trust
