// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "trust/signed/json.h"
#include "trust/tuf/entry_fault.h"

namespace crivet::trust {

/// TargetText is what one entry of `targets` says, its hashes as they are written: Notary writes
/// them in base64, TUF 1.0 in hex. Views into the document.
struct TargetText {
  std::int64_t length = 0;  ///< never negative
  std::optional<std::string_view> sha256;
  std::optional<std::string_view> sha512;
};

/// ReadTarget reads an entry, or tells what makes it unusable, whatever its hashes are. Members
/// that the format does not know are passed over; a known one in another case is not.
tl::expected<TargetText, EntryFault> ReadTarget(JsonValue entry);

}  // namespace crivet::trust
