// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/file_request.h"
#include "trust/tuf/metadata_request.h"

namespace crivet::trust {

/// Within is an answer as the request allowed it: kTooLarge where it has more bytes.
inline Fetched Within(const MetadataRequest& request, Fetched answer) {
  if (!answer || answer->bytes.size() <= request.max_bytes) return answer;
  return tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge, {}});
}

}  // namespace crivet::trust
