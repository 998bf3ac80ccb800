// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/kind.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

CollectionId Kind::IdOf(const std::string& url, std::string name) const {
  std::string address = server() == Server::kOwn ? url : name.substr(0, name.find('/'));
  return {std::string(this->name()), std::move(address), std::move(name)};
}

const std::vector<std::string>& Kind::trust_keys() const {
  static const std::vector<std::string> none;
  return none;
}

const Kind* FindKind(const Kinds& kinds, std::string_view name) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [name](const Kind* kind) { return kind->name() == name; });
  return found == kinds.end() ? nullptr : *found;
}

}  // namespace crivet::trust
