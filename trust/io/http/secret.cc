// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/secret.h"

#include <string.h>  // explicit_bzero

#include <utility>

namespace crivet::trust {

void Wipe(std::string& text) noexcept {
  // The capacity too: an earlier, longer content may still stand behind the end.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string text)
    : text_(new std::string(text), [](const std::string* kept) {
        auto* owned = const_cast<std::string*>(kept);
        Wipe(*owned);
        delete owned;
      }) {
  Wipe(text);
}

}  // namespace crivet::trust
