// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace crivet::proxy {

/// FindEntry is the value of `key` in a map as our slices have it: a list of entries, of which the
/// last counts. Null where it has none.
template <typename Entries>
const std::string* FindEntry(const Entries& entries, std::string_view key) {
  const std::string* value = nullptr;
  for (const auto& entry : entries) {
    if (entry.key() == key) value = &entry.value();
  }
  return value;
}

/// AddEntry adds `key` with `value`, which counts from now on.
template <typename Entries>
void AddEntry(Entries& entries, std::string_view key, std::string_view value) {
  auto& entry = *entries.Add();
  entry.set_key(key.data(), key.size());
  entry.set_value(value.data(), value.size());
}

}  // namespace crivet::proxy
