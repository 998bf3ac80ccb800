// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crivet::proxy::cli {

/// How wide a screen is that nobody has made wider.
inline constexpr std::size_t kScreenWidth = 80;
/// Where there is no screen: a line is as long as what it says, for whoever searches it.
inline constexpr std::size_t kNoScreen = static_cast<std::size_t>(-1);

/// WidthOf is how long lines to that descriptor may be: kNoScreen where it is no terminal.
std::size_t WidthOf(int fd);

/// ScreenText is lines of text for people, broken where the screen ends.
class ScreenText {
 public:
  explicit ScreenText(std::size_t width) : width_(width) {}

  /// A line as it is.
  void Add(std::string line) { lines_.push_back(std::move(line)); }
  /// `head` and the words of `text` behind it; what does not fit the first line goes on below,
  /// under `indent` spaces. A word is never broken.
  void AddWrapped(std::string_view head, std::string_view text, std::size_t indent);

  const std::vector<std::string>& lines() const { return lines_; }
  std::vector<std::string> Take() && { return std::move(lines_); }

 private:
  std::size_t width_;
  std::vector<std::string> lines_;
};

}  // namespace crivet::proxy::cli
