// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/expiry.h"

#include "trust/base/quoted.h"

namespace crivet::trust {

std::string VersionOf(std::string_view role, std::int64_t version) {
  return Quoted(role) + " version " + std::to_string(version);
}

Result<void> CheckTime(std::string_view role, std::int64_t version, TimePoint expires,
                       TimePoint now, std::chrono::seconds grace) {
  if (now < expires + grace) return {};
  return Fail(Reason::kExpired, VersionOf(role, version) + " expired at " + FormatRfc3339(expires));
}

}  // namespace crivet::trust
