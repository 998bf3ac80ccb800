#include "trust/core/authorized_keys.h"

namespace crivet::trust {

std::size_t AuthorizedKeys::CountDistinct(const std::set<KeyId>& signers) const {
  std::set<Sha256> distinct;
  for (const KeyId& id : signers) {
    const auto key = keys.find(id);
    if (key != keys.end()) distinct.insert(key->second.spki_sha256());
  }
  return distinct.size();
}

std::set<KeyId> SignersOf(const AuthorizedKeys& authorized, const std::set<KeyId>& signers) {
  std::set<KeyId> still;
  for (const KeyId& id : signers) {
    if (authorized.keys.contains(id)) still.insert(id);
  }
  return still;
}

}  // namespace crivet::trust
