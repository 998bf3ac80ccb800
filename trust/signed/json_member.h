// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "trust/base/result.h"
#include "trust/signed/json.h"

namespace crivet::trust {

// How a member of an object is read: strictly. A failure is kMalformed and names the member that is
// wrong, never its content.

/// That failure: `MalformedMember("version", "is below 1")`.
tl::unexpected<Error> MalformedMember(std::string_view member, std::string_view what);

/// The member of that name and type; a null, another type or no member fails.
Result<JsonValue> ReadMember(JsonValue object, std::string_view name, JsonType type);

Result<std::int64_t> ReadInteger(JsonValue object, std::string_view name);
Result<std::string_view> ReadString(JsonValue object, std::string_view name);

}  // namespace crivet::trust
