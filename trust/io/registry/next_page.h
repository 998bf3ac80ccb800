// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/io/http/http_url.h"

namespace crivet::trust {

/// NextPage is what the Link headers (RFC 8288) of an answer name as its next page: nothing where
/// they name none, else the query with which the same address has to be asked again. kMalformed
/// where a header cannot be read, two name different pages, or the page is at another address than
/// the one that was asked. Pure; linear in the size of the headers.
Result<std::optional<std::string>> NextPage(const std::vector<std::string>& links,
                                            const HttpUrl& asked);

}  // namespace crivet::trust
