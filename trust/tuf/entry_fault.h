// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace crivet::trust {

/// EntryFault is what makes one entry of `targets` unusable: that tag is refused, by its role's
/// word, and no other.
enum class EntryFault : std::uint8_t {
  kNotAnObject,
  kLength,
  kHashes,
  kNoSha256,
  kBadSha256,
  kTwoCases,
};

/// The fault for people: `it has no sha256`.
std::string_view WordsOf(EntryFault fault);

}  // namespace crivet::trust
