// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "trust/decide/image_pattern.h"
#include "trust/decide/key_reader.h"

namespace crivet::trust {

/// The key that maps an image's name to the name under which it was signed.
inline constexpr std::string_view kGunKey = "gun";

/// What a rule says there (trust/RULES.md#mirrors); nullopt where it says nothing, or something
/// wrong.
std::optional<ImagePattern> ReadGun(KeyReader& keys);

}  // namespace crivet::trust
