#include "trust/io/repository_table.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

std::shared_ptr<RepositorySlot> RepositoryTable::Slot(const RepositoryId& id, SinceBoot now) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  if (found != slots_.end()) return found->second;
  if (++added_since_dropping_ > kMaxStrangers) DropStrangers();
  return slots_.emplace(id, std::make_shared<RepositorySlot>(id, machine_id_, now)).first->second;
}

std::shared_ptr<RepositorySlot> RepositoryTable::Find(const RepositoryId& id) const {
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

// Half of them go at once, so that this is not done for every new name.
void RepositoryTable::DropStrangers() {
  std::vector<std::pair<SinceBoot, RepositoryId>> strangers;
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
