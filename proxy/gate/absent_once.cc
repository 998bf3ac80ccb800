// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/absent_once.h"

#include <algorithm>

namespace crivet::proxy {

void AbsentOnce::Add(const std::string& canonical, const std::string& pod_namespace,
                     Clock::time_point now, Clock::duration lifetime, Entries& entries) {
  for (auto& [name_space, of_namespace] : entries) {
    std::erase_if(of_namespace, [now](const Entry& entry) { return entry.expiry <= now; });
  }
  auto& own = entries[pod_namespace];
  std::erase_if(own, [&](const Entry& entry) { return entry.canonical == canonical; });
  if (own.size() >= kMaxOfNamespace) own.pop_front();
  own.push_back({canonical, now + lifetime});
  std::erase_if(entries, [](const auto& of_namespace) { return of_namespace.second.empty(); });
}

void AbsentOnce::Add(const std::string& canonical, const std::string& pod_namespace,
                     Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Add(canonical, pod_namespace, now, kLifetime, entries_);
}

void AbsentOnce::AddSeldom(const std::string& canonical, const std::string& pod_namespace,
                           Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (const auto own = seldom_.find(pod_namespace); own != seldom_.end()) {
    const bool lately = std::any_of(own->second.begin(), own->second.end(), [&](const Entry& one) {
      return one.canonical == canonical && now < one.expiry;
    });
    if (lately) return;
  }
  Add(canonical, pod_namespace, now, kSeldom, seldom_);
  Add(canonical, pod_namespace, now, kLifetime, entries_);
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
