// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "trust/base/time.h"

namespace crivet::trust {

/// TextPosition is a place in a text, counted from 1 in characters; zeros mean the text as a whole.
struct TextPosition {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t text = 0;  ///< which of several texts that are read as one
  friend auto operator<=>(const TextPosition&, const TextPosition&) = default;
};

struct TomlValue;
struct TomlMember;
using TomlArray = std::vector<TomlValue>;
using TomlTable = std::vector<TomlMember>;

/// A date or a time of day that names no moment: TOML's local forms.
struct TomlLocalTime {};

/// TomlValue is a value with its place. Dates with an offset are UTC, their fractions dropped.
struct TomlValue {
  TextPosition at;
  std::variant<std::string, std::int64_t, double, bool, TimePoint, TomlLocalTime, TomlArray,
               TomlTable>
      value;
};

struct TomlMember {
  std::string key;
  TextPosition key_at;
  TomlValue value;
};

/// TomlError is the first thing that is not TOML, or beyond our caps.
struct TomlError {
  TextPosition at;
  std::string what;
};

/// Caps on a configuration text. Nesting is bounded in both of TOML's ways: brackets and dots.
inline constexpr std::size_t kMaxTomlBytes = 1024 * 1024;
inline constexpr std::size_t kMaxTomlDotsOnALine = 64;

/// ParseToml reads a TOML 1.0 text into a tree of our own, so that the library stays in one file.
/// The text goes through a grammar of ours first, because the library's 3.3.0 has undefined
/// behaviour on letters outside ASCII wherever it asks for a blank. What that refuses of TOML: a
/// blank instead of the T between a date and its time, a character outside ASCII that follows a
/// line-ending backslash and its blanks, a byte order mark. Members are in the text's order. Every
/// position bears `number`, for whoever reads several texts as one.
tl::expected<TomlTable, TomlError> ParseToml(std::string_view text, std::uint32_t number = 0);

}  // namespace crivet::trust
