// SPDX-License-Identifier: Apache-2.0
#include "trust/base/quoted.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxQuoted = 200;

}  // namespace

std::string Quoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (quoted.size() == kMaxQuoted) return quoted + "...";
    const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!space) {
      quoted += c < ' ' || c > '~' || c == '"' ? '?' : c;
    } else if (!quoted.empty() && quoted.back() != ' ') {
      quoted += ' ';
    }
  }
  if (!quoted.empty() && quoted.back() == ' ') quoted.pop_back();
  return quoted;
}

}  // namespace crivet::trust
