// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/repository_table.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

std::shared_ptr<RepositorySlot> RepositoryTable::Slot(const CollectionId& id, SinceBoot now) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  if (found != slots_.end()) return found->second;
  if (++added_since_dropping_ > kMaxStrangers) DropStrangers();
  auto slot = std::make_shared<RepositorySlot>(id, machine_id_, now, memory_);
  return slots_.emplace(id, std::move(slot)).first->second;
}

std::shared_ptr<RepositorySlot> RepositoryTable::Find(const CollectionId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<RepositorySlot>> RepositoryTable::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<RepositorySlot>> all;
  all.reserve(slots_.size());
  for (const auto& [id, slot] : slots_) all.push_back(slot);
  return all;
}

// Some more than needed go at once, so that this is not done after every load.
void RepositoryTable::KeepWithinMemory() {
  if (*memory_ <= max_resident_bytes_) return;
  const std::lock_guard lock(mutex_);
  struct Set {
    SinceBoot used{};
    std::size_t bytes = 0;
    std::shared_ptr<RepositorySlot> slot;
  };
  std::vector<Set> sets;
  std::size_t total = 0;
  for (const auto& [id, slot] : slots_) {
    const std::size_t bytes = slot->resident_bytes();
    total += bytes;
    if (bytes > 0) sets.push_back({slot->last_decision(), bytes, slot});
  }
  std::stable_sort(sets.begin(), sets.end(),
                   [](const Set& a, const Set& b) { return a.used < b.used; });
  const std::size_t enough = max_resident_bytes_ - max_resident_bytes_ / 8;
  for (const Set& set : sets) {
    if (total <= enough) return;
    if (!set.slot->CanLeave()) continue;
    total -= set.bytes;
    slots_.erase(set.slot->id());
  }
  // What is left is in use at this moment, or the disk takes no writes.
  for (const Set& set : sets) {
    if (total <= max_resident_bytes_) return;
    set.slot->ShrinkToFloors();
    total -= set.bytes - std::min(set.bytes, set.slot->resident_bytes());
  }
}

// Half of them go at once, so that this is not done for every new name.
void RepositoryTable::DropStrangers() {
  std::vector<std::pair<SinceBoot, CollectionId>> strangers;
  for (const auto& [id, slot] : slots_) {
    if (slot->IsStranger()) strangers.emplace_back(slot->last_decision(), id);
  }
  const std::size_t keep = kMaxStrangers / 2;
  if (strangers.size() > keep) {
    std::sort(strangers.begin(), strangers.end());
    strangers.erase(strangers.end() - static_cast<std::ptrdiff_t>(keep), strangers.end());
    for (const auto& [used, id] : strangers) slots_.erase(id);
  }
  added_since_dropping_ = std::min(strangers.size(), keep);
}

}  // namespace crivet::trust
