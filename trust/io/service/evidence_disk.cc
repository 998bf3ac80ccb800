// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/evidence_disk.h"

#include <algorithm>

namespace crivet::trust {

std::size_t EvidenceDisk::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t EvidenceDisk::repositories() const {
  const std::lock_guard lock(mutex_);
  return taken_.size();
}

bool EvidenceDisk::Knows(const CollectionId& id, const FileStore::Stamp& stamp) const {
  const std::lock_guard lock(mutex_);
  const auto known = taken_.find(id);
  return known == taken_.end() ? !stamp : known->second.stamp == stamp;
}

void EvidenceDisk::Note(const CollectionId& id, const FileStore::Stamp& stamp, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto known = taken_.find(id);
  if (known != taken_.end()) bytes_ -= known->second.bytes;
  bytes_ += bytes;
  if (stamp || bytes > 0) {
    taken_.insert_or_assign(id, Taken{stamp, bytes});
  } else if (known != taken_.end()) {
    taken_.erase(known);
  }
}

std::vector<EvidenceDisk::Share> EvidenceDisk::Excess(const std::set<CollectionId>& fixed) const {
  std::vector<Share> all;
  std::size_t left = enough();
  {
    const std::lock_guard lock(mutex_);
    if (bytes_ <= left) return {};
    for (const auto& [id, taken] : taken_) {
      if (fixed.contains(id)) {
        left -= std::min(left, taken.bytes);
      } else {
        all.push_back({id, taken.bytes});
      }
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Share& a, const Share& b) { return a.bytes < b.bytes; });
  // The smallest have what they take as long as that is no more than an equal share of what is
  // left.
  std::size_t first = 0;
  while (first < all.size() && all[first].bytes <= left / (all.size() - first)) {
    left -= all[first++].bytes;
  }
  std::vector<Share> excess;
  for (std::size_t i = all.size(); i > first; --i) {
    excess.push_back({all[i - 1].id, all[i - 1].bytes - left / (all.size() - first)});
  }
  return excess;
}

}  // namespace crivet::trust
