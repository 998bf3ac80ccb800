#include "proxy/healing_names.h"

namespace crivet::proxy {

void HealingNames::Add(const std::string& canonical, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (expiry_.size() >= kMaxNames) {
    std::erase_if(expiry_, [now](const auto& entry) { return entry.second <= now; });
  }
  // With that many names at once the pods that are left out heal at a later try.
  if (expiry_.size() >= kMaxNames) return;
  expiry_.insert_or_assign(canonical, now + kLifetime);
}

bool HealingNames::Take(const std::string& canonical, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  const auto entry = expiry_.find(canonical);
  if (entry == expiry_.end()) return false;
  const bool alive = now < entry->second;
  expiry_.erase(entry);
  return alive;
}

void HealingNames::Forget(const std::string& canonical) {
  std::lock_guard lock(mutex_);
  expiry_.erase(canonical);
}

}  // namespace crivet::proxy
