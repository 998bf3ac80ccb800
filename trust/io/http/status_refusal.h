// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/file_request.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/http_client.h"
#include "trust/io/http/http_url.h"

namespace crivet::trust {

/// RefusalBy is what an answer other than 200 says: kNotFound for 404, a server's error for every
/// other status, with the status, the pause that was asked for and the reason that the body gives
/// (ReasonIn). `credentials`: what the question carried, null for none. Pure.
FetchFailure RefusalBy(const HttpAnswer& answer, const HttpUrl& url,
                       const SharedCredentials& credentials);

}  // namespace crivet::trust
