// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/absent_once.h"

namespace crivet::proxy {

void AbsentOnce::Add(const std::string& canonical, const std::string& pod_namespace,
                     Clock::time_point now) {
  std::lock_guard lock(mutex_);
  for (auto& [name_space, entries] : entries_) {
    std::erase_if(entries, [now](const Entry& entry) { return entry.expiry <= now; });
  }
  auto& own = entries_[pod_namespace];
  std::erase_if(own, [&](const Entry& entry) { return entry.canonical == canonical; });
  if (own.size() >= kMaxOfNamespace) own.pop_front();
  own.push_back({canonical, now + kLifetime});
  std::erase_if(entries_, [](const auto& of_namespace) { return of_namespace.second.empty(); });
}

bool AbsentOnce::Take(const std::string& canonical, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  bool alive = false;
  for (auto& [name_space, entries] : entries_) {
    std::erase_if(entries, [&](const Entry& entry) {
      if (entry.canonical != canonical) return false;
      alive = alive || now < entry.expiry;
      return true;
    });
  }
  std::erase_if(entries_, [](const auto& of_namespace) { return of_namespace.second.empty(); });
  return alive;
}

void AbsentOnce::Forget(const std::string& canonical) { Take(canonical, Clock::time_point()); }

}  // namespace crivet::proxy
