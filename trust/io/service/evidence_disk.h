// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "trust/decide/collection_id.h"
#include "trust/io/store/file_store.h"

namespace crivet::trust {

/// EvidenceDisk is how much of the disk the evidence of each repository takes, of kinds whose
/// evidence can be had again, and who has to give some where it is too much
/// (trust/registry_bound/RULES.md#evidence). Thread-safe.
class EvidenceDisk {
 public:
  explicit EvidenceDisk(std::size_t max) : max_(max) {}

  std::size_t max() const { return max_; }
  std::size_t bytes() const;
  std::size_t repositories() const;
  bool IsOver() const { return bytes() > max_; }
  /// Whether there is an eighth of it left.
  bool HasRoom() const { return bytes() <= enough(); }

  /// Whether Note would tell nothing new.
  bool Knows(const CollectionId& id, const FileStore::Stamp& stamp) const;
  void Note(const CollectionId& id, const FileStore::Stamp& stamp, std::size_t bytes);

  struct Share {
    CollectionId id;
    std::size_t bytes = 0;
  };
  /// Who gives how much so that there is room: those that take more than an equal share of it,
  /// down to that, the largest first. What `fixed` take stays. Empty where there is room already,
  /// and where nobody but they would have to give.
  std::vector<Share> Excess(const std::set<CollectionId>& fixed) const;

 private:
  std::size_t enough() const { return max_ - max_ / 8; }

  struct Taken {
    FileStore::Stamp stamp;
    std::size_t bytes = 0;
  };

  const std::size_t max_;
  mutable std::mutex mutex_;
  std::map<CollectionId, Taken> taken_;
  std::size_t bytes_ = 0;
};

}  // namespace crivet::trust
