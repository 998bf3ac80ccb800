// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "trust/base/image_reference.h"

namespace crivet::trust {

class Repository;

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

/// What is wrong with the entry that a role gives a tag which it may list; nullopt where nothing
/// is, or there is none.
std::optional<EntryFault> FaultOf(const Repository& repository, const RoleName& role,
                                  std::string_view tag);

/// Whether a role says anything of a tag that it may list, usable or not.
bool Lists(const Repository& repository, const RoleName& role, std::string_view tag);

}  // namespace crivet::trust
