// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "trust/base/result.h"
#include "trust/base/time.h"

namespace crivet::trust {

/// `timestamp version 7`: how errors name a file.
std::string VersionOf(std::string_view role, std::int64_t version);

/// CheckTime is kExpired from the moment `expires + grace` on.
Result<void> CheckTime(std::string_view role, std::int64_t version, TimePoint expires,
                       TimePoint now, std::chrono::seconds grace = std::chrono::seconds{0});

}  // namespace crivet::trust
