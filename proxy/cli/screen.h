// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::proxy::cli {

/// How wide a screen is that nobody has made wider.
inline constexpr std::size_t kScreenWidth = 80;

/// AddWrapped adds `head` and the words of `text` behind it, in lines that fit a screen; what does
/// not fit the first goes on below, under `indent` spaces. A word is never broken.
void AddWrapped(std::string_view head, std::string_view text, std::size_t indent,
                std::vector<std::string>& lines);

}  // namespace crivet::proxy::cli
