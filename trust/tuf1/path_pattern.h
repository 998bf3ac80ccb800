// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace crivet::trust::tuf1 {

enum class PathMatch : std::uint8_t {
  kNo,
  kYes,
  kOdd,  ///< clients disagree on what the pattern means
};

/// MatchWork is what a search may still spend on comparing patterns, in characters: whoever is
/// delegated to can write megabytes of patterns that almost match.
struct MatchWork {
  static constexpr std::size_t kOfASearch = 8 * 1000 * 1000;
  std::size_t left = kOfASearch;

  void Spend(std::size_t characters) { left -= characters < left ? characters : left; }
  bool IsSpent() const { return left == 0; }
};

/// MatchPath tells whether a pattern of a delegation's `paths` covers a target
/// (trust/tuf1/FORMAT.md#patterns): segments by `/`, as many in one as in the other, in each `*`,
/// `?` and `[…]` over the characters of UTF-8, case counts. Never more work than the product of the
/// two lengths; kNo where `work` was spent before the end.
PathMatch MatchPath(std::string_view pattern, std::string_view target, MatchWork& work);

/// Which targets of an image's tags a pattern covers.
enum class TagsMatch : std::uint8_t {
  kNone,
  kSome,   ///< or perhaps some: never less than there are
  kEvery,  ///< never more than there are
  kOdd,
};

/// MatchTags is MatchPath for all targets at once that are `prefix` and a tag: letters, digits and
/// `_.-`, 1 to 128 of them. kNone where `work` was spent before the end.
TagsMatch MatchTags(std::string_view pattern, std::string_view prefix, MatchWork& work);

}  // namespace crivet::trust::tuf1
