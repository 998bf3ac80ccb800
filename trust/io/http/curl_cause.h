// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <string>

#include "trust/base/fetch_cause.h"

namespace crivet::trust {

/// Whether TLS is what failed.
bool IsTlsFailure(CURLcode code);

/// CurlCause is what a transfer that curl gave up means, with curl's own words. `words` is the
/// handle's CURLOPT_ERRORBUFFER; empty: curl's general words for the code.
FetchCause CurlCause(CURL* handle, CURLcode code, const char* words, std::string host);

}  // namespace crivet::trust
