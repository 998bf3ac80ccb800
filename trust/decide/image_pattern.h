// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/base/result.h"
#include "trust/base/wildcard.h"

namespace crivet::trust {

/// ImagePattern matches the `host/path` of an image by components: a literal, one with a `*` in it
/// (`nginx*`) for any run of its characters, `*` for one component, `**` for any number of them,
/// none included (trust/RULES.md#matching-rules). Immutable.
class ImagePattern {
 public:
  /// Parse reads a pattern of `images`. kMalformed where it could match no image at all; names are
  /// compared in canonical form, so `nginx` and `docker.io/nginx` are such patterns, and the error
  /// says `docker.io/library/nginx`.
  static Result<ImagePattern> Parse(std::string_view text);

  /// ParseMapping reads the name that a rule maps images to. Unlike an image it may say
  /// `docker.io/*`.
  static Result<ImagePattern> ParseMapping(std::string_view text);

  /// Whether a repository (`docker.io/library/alpine`) matches. Allocates nothing.
  bool Matches(std::string_view repository) const;

  /// What each wildcard matched, left to right; nullopt where the pattern does not match. Where
  /// several `**` could share the text, the leftmost takes the least. The views are into
  /// `repository`.
  std::optional<std::vector<std::string_view>> Match(std::string_view repository) const;

  /// The text with each wildcard replaced by what its counterpart matched. Precondition: `captures`
  /// come from a pattern with SameWildcards.
  std::string Expand(const std::vector<std::string_view>& captures) const;

  /// Whether both have the same wildcards in the same order: what a mapping needs
  /// (trust/RULES.md#mirrors).
  bool SameWildcards(const ImagePattern& other) const;

  /// Whether some repository matches both.
  bool Overlaps(const ImagePattern& other) const { return CanMeet(steps_, other.steps_); }

  const std::string& text() const { return text_; }
  const WildcardSteps& steps() const { return steps_; }

  /// Less is more specific: components are compared left to right, literal before partly literal
  /// before `*` before the end of the pattern before `**`; of two partly literal ones the longer
  /// beginning, then the longer text. Patterns that differ only in their literals are equivalent.
  friend std::weak_ordering Specificity(const ImagePattern& a, const ImagePattern& b);

 private:
  ImagePattern(std::string text, WildcardSteps steps);
  static Result<ImagePattern> ParseSteps(std::string_view text);
  bool Match(std::string_view repository, std::vector<std::string_view>* captures) const;

  std::string text_;
  WildcardSteps steps_;
  /// The literals that the pattern begins with, as they stand in a name: most names that do not
  /// match differ in them.
  std::size_t leading_literals_ = 0;
  std::string prefix_;
};

std::weak_ordering Specificity(const ImagePattern& a, const ImagePattern& b);

}  // namespace crivet::trust
