// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/chain_memory.h"

#include <algorithm>

namespace crivet::trust::notation {

std::optional<Certificate> ChainMemory::Find(std::string_view der) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(by_issuer_.begin(), by_issuer_.end(),
                                  [&](const auto& one) { return one.first.der() == der; });
  if (found == by_issuer_.end()) return std::nullopt;
  return found->first;
}

bool ChainMemory::Links(const Certificate& subject, const Certificate& issuer) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(by_issuer_.begin(), by_issuer_.end(), [&](const auto& one) {
    return one.first == subject && one.second == issuer.sha256();
  });
}

void ChainMemory::Keep(const std::vector<Certificate>& chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const Certificate& issuer = chain[std::min(i + 1, chain.size() - 1)];
    if (Links(chain[i], issuer)) continue;
    const std::lock_guard lock(mutex_);
    if (by_issuer_.size() == kMost) by_issuer_.erase(by_issuer_.begin());
    by_issuer_.emplace_back(chain[i], issuer.sha256());
  }
}

Result<Certificate> ReadCertificate(std::string_view der, const ChainMemory* known) {
  if (known != nullptr) {
    if (auto kept = known->Find(der)) return *std::move(kept);
  }
  return Certificate::FromDer(der, Certificate::Keep::kDecoded);
}

}  // namespace crivet::trust::notation
