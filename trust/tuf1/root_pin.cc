// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/root_pin.h"

#include <algorithm>

namespace crivet::trust::tuf1 {

// Being listed is not enough: whoever makes a root may list any key (trust/RULES.md#roots).
bool IsSignedBy(const Verified<Root>& root, const Sha256& key_id) {
  const auto& keys = root.content->KeysOf(kRoot).keys;
  return std::any_of(keys.begin(), keys.end(), [&](const auto& listed) {
    const Key& key = listed.second;
    return (key.id() == key_id || key.spki_sha256() == key_id) &&
           root.signers.contains(key.spki_sha256());
  });
}

bool Matches(const RootPin& pin, const Verified<Root>& root) {
  if (pin.file && pin.file->signed_sha256 == root.signed_sha256) return true;
  return std::any_of(pin.key_ids.begin(), pin.key_ids.end(),
                     [&](const Sha256& id) { return IsSignedBy(root, id); });
}

std::optional<std::size_t> MatchChain(const RootPin& pin,
                                      const std::vector<Verified<Root>>& chain) {
  if (pin.tofu && !chain.empty()) return 0;
  const auto at = std::find_if(chain.begin(), chain.end(),
                               [&](const Verified<Root>& root) { return Matches(pin, root); });
  if (at == chain.end()) return std::nullopt;
  return static_cast<std::size_t>(at - chain.begin());
}

const Verified<Root>* OldestFile(const RootPins& pins) {
  const Verified<Root>* oldest = nullptr;
  for (const RootPin& pin : pins) {
    if (!pin.file) continue;
    if (oldest == nullptr || pin.file->content->version() < oldest->content->version()) {
      oldest = &*pin.file;
    }
  }
  return oldest;
}

std::vector<Verified<Root>> Anchored(std::vector<Verified<Root>> chain, const RootPins& pins) {
  std::size_t first = chain.size();
  for (const RootPin& pin : pins) {
    if (const auto match = MatchChain(pin, chain)) first = std::min(first, *match);
  }
  chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(first));
  return chain;
}

}  // namespace crivet::trust::tuf1
