#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "trust/core/repository_id.h"
#include "trust/io/repository_slot.h"

namespace crivet::trust {

/// RepositoryTable finds the slot of a repository and makes it where there is none. Names come out
/// of pods, so strangers (never verified, nobody waits) are dropped beyond a cap, those first that
/// nobody has asked about for longest. Thread-safe.
class RepositoryTable {
 public:
  static constexpr std::size_t kMaxStrangers = 1024;

  explicit RepositoryTable(std::string machine_id) : machine_id_(std::move(machine_id)) {}

  std::shared_ptr<RepositorySlot> Slot(const RepositoryId& id, SinceBoot now);
  /// Null where there is none.
  std::shared_ptr<RepositorySlot> Find(const RepositoryId& id) const;
  std::vector<std::shared_ptr<RepositorySlot>> All() const;

 private:
  void DropStrangers();

  const std::string machine_id_;
  mutable std::mutex mutex_;
  std::map<RepositoryId, std::shared_ptr<RepositorySlot>> slots_;
  std::size_t added_since_dropping_ = 0;
};

}  // namespace crivet::trust
