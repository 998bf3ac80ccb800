// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "trust/decide/collection_id.h"
#include "trust/io/service/repository_slot.h"

namespace crivet::trust {

/// RepositoryTable finds the slot of a repository and makes it where there is none. Names come out
/// of pods, so strangers (never verified, nobody waits) are dropped beyond a cap, those first that
/// nobody has asked about for longest. Signers can fill memory too, where a rule trusts a CA or the
/// first use: beyond a cap in bytes sets leave memory in the same order. The store keeps them, and
/// whoever asks next has them loaded again. Thread-safe.
class RepositoryTable {
 public:
  static constexpr std::size_t kMaxStrangers = 1024;

  RepositoryTable(std::string machine_id, std::size_t max_resident_bytes)
      : machine_id_(std::move(machine_id)), max_resident_bytes_(max_resident_bytes) {}

  std::shared_ptr<RepositorySlot> Slot(const CollectionId& id, SinceBoot now);
  /// Null where there is none.
  std::shared_ptr<RepositorySlot> Find(const CollectionId& id) const;
  std::vector<std::shared_ptr<RepositorySlot>> All() const;
  std::size_t resident_bytes() const { return *memory_; }
  /// Lets sets go where they take more than they may. After every load and refresh.
  void KeepWithinMemory();

 private:
  void DropStrangers();

  const std::string machine_id_;
  const std::size_t max_resident_bytes_;
  const std::shared_ptr<std::atomic<std::size_t>> memory_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  mutable std::mutex mutex_;
  std::map<CollectionId, std::shared_ptr<RepositorySlot>> slots_;
  std::size_t added_since_dropping_ = 0;
};

}  // namespace crivet::trust
