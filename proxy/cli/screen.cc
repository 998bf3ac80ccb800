// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/screen.h"

#include <unistd.h>

#include <algorithm>

namespace crivet::proxy::cli {

std::size_t WidthOf(int fd) { return ::isatty(fd) != 0 ? kScreenWidth : kNoScreen; }

void ScreenText::AddWrapped(std::string_view head, std::string_view text, std::size_t indent) {
  std::string line(head);
  bool empty = true;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (word.empty()) continue;
    if (!empty && line.size() + 1 + word.size() > width_) {
      lines_.push_back(std::move(line));
      line = std::string(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  lines_.push_back(std::move(line));
}

}  // namespace crivet::proxy::cli
