// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust {

/// WildcardStep is one step of a pattern over a sequence of words: an image's components, or a
/// namespace's characters.
struct WildcardStep {
  enum class Kind : std::uint8_t {
    kLiteral,  ///< exactly this word
    kPartly,   ///< any one word that begins with `literal` and goes on to end with `ending`
    kOne,      ///< any one word
    kMany,     ///< any number of words, none included
  } kind = Kind::kLiteral;
  std::string literal = {};
  std::string ending = {};  ///< only of kPartly

  /// Whether the step, where it takes a word, takes this one. Allocates nothing.
  bool Takes(std::string_view word) const {
    if (kind == Kind::kLiteral) return literal == word;
    return kind != Kind::kPartly || (word.size() >= literal.size() + ending.size() &&
                                     word.starts_with(literal) && word.ends_with(ending));
  }
  friend bool operator==(const WildcardStep&, const WildcardStep&) = default;
};

using WildcardSteps = std::vector<WildcardStep>;

/// CanMeet tells whether some sequence matches both patterns. Exact.
bool CanMeet(const WildcardSteps& a, const WildcardSteps& b);

/// CoveredBy tells whether every image's repository that matches `pattern` also matches at least
/// one of `others`, where the words are components. Exact, for components of any characters,
/// up to a bound on the work; beyond it the answer is false.
bool CoveredBy(const WildcardSteps& pattern, const std::vector<const WildcardSteps*>& others);

/// GlobSteps reads a glob whose only wildcard is `*`, any run of characters.
WildcardSteps GlobSteps(std::string_view glob);

/// GlobMatches matches such a glob against a whole text. Linear in practice, never worse than the
/// product of the two lengths.
bool GlobMatches(std::string_view glob, std::string_view text);

}  // namespace crivet::trust
