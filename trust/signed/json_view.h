// SPDX-License-Identifier: Apache-2.0
#pragma once

// Included by json.cc and canonical_json.cc alone: the JSON parser stays out of every other file.

#include <simdjson.h>

#include <array>
#include <bit>
#include <cstddef>

namespace crivet::trust::json_view {

using View = std::array<std::size_t, 2>;

// Every view of simdjson is a document and a place on its tape, and trivially copyable.
template <typename T>
T FromView(const View& view) {
  static_assert(sizeof(T) == sizeof(View) && alignof(T) <= alignof(View));
  return std::bit_cast<T>(view);
}
template <typename T>
View ToView(const T& value) {
  return std::bit_cast<View>(value);
}

}  // namespace crivet::trust::json_view
