// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace crivet::trust::tuf1 {

enum class PathMatch : std::uint8_t {
  kNo,
  kYes,
  kOdd,  ///< clients disagree on what the pattern means
};

/// MatchPath tells whether a pattern of a delegation's `paths` covers a target
/// (trust/tuf1/FORMAT.md#patterns): segments by `/`, as many in one as in the other, in each `*`,
/// `?` and `[…]` over the characters of UTF-8, case counts. Never more work than the product of the
/// two lengths.
PathMatch MatchPath(std::string_view pattern, std::string_view target);

}  // namespace crivet::trust::tuf1
