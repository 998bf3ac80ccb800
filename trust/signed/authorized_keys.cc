// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/authorized_keys.h"

#include <algorithm>

namespace crivet::trust {

std::size_t AuthorizedKeys::CountDistinct(const std::set<KeyId>& signers) const {
  std::set<Sha256> distinct;
  for (const KeyId& id : signers) {
    const auto key = keys.find(id);
    if (key != keys.end()) distinct.insert(key->second.spki_sha256());
  }
  return distinct.size();
}

std::size_t AuthorizedKeys::CountListed() const {
  std::set<KeyId> all;
  for (const auto& [id, key] : keys) all.insert(id);
  return CountDistinct(all) + unusable.size();
}

bool AuthorizedKeys::StillBinds(const std::set<KeyId>& signers) const {
  const auto is_unusable = [this](const KeyId& id) { return unusable.contains(id.ToString()); };
  const bool all_listed = std::all_of(signers.begin(), signers.end(), [&](const KeyId& id) {
    return keys.contains(id) || is_unusable(id);
  });
  const auto without_key = std::count_if(signers.begin(), signers.end(), is_unusable);
  return all_listed && CountDistinct(signers) + static_cast<std::size_t>(without_key) >= threshold;
}

std::set<KeyId> SignersOf(const AuthorizedKeys& authorized, const std::set<KeyId>& signers) {
  std::set<KeyId> still;
  for (const KeyId& id : signers) {
    if (authorized.keys.contains(id)) still.insert(id);
  }
  return still;
}

}  // namespace crivet::trust
