// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/named_fields.h"

#include <charconv>
#include <system_error>

namespace crivet::trust::registry_bound {

void PutField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(" ").append(std::to_string(value.size())).append("\n");
  out.append(value).append("\n");
}

std::optional<NamedFields> ReadFields(std::string_view text) {
  NamedFields fields;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto line = text.find('\n');
    if (space == std::string_view::npos || line == std::string_view::npos || line < space) {
      return std::nullopt;
    }
    std::size_t size = 0;
    const char* const end = text.data() + line;
    const auto [at, error] = std::from_chars(text.data() + space + 1, end, size);
    if (error != std::errc() || at != end) return std::nullopt;
    const std::string_view name = text.substr(0, space);
    text.remove_prefix(line + 1);
    if (size >= text.size() || text[size] != '\n') return std::nullopt;
    if (!fields.emplace(name, text.substr(0, size)).second) return std::nullopt;
    text.remove_prefix(size + 1);
  }
  return fields;
}

}  // namespace crivet::trust::registry_bound
