// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/name_locks.h"

#include "proxy/runtime/upstream.h"

namespace crivet::proxy {

Task<NameLocks::Hold> NameLocks::Acquire(const std::string& name) {
  const Turn turn = co_await AwaitCallback<Turn>(
      [this, &name](Granted granted) { Enqueue(name, std::move(granted)); });
  Hold hold(*this, name);
  // Release() resumed us inside somebody else's destructor: go on elsewhere, so that a long queue
  // does not nest.
  if (turn == Turn::kAfterWaiting) co_await Elsewhere();
  co_return hold;
}

void NameLocks::Enqueue(const std::string& name, Granted granted) {
  {
    std::lock_guard lock(mutex_);
    const auto [held, is_free] = held_.try_emplace(name);
    if (!is_free) {
      held->second.push_back(std::move(granted));
      return;
    }
  }
  granted(Turn::kAtOnce);
}

void NameLocks::Release(const std::string& name) {
  Granted next;
  {
    std::lock_guard lock(mutex_);
    const auto held = held_.find(name);
    if (held->second.empty()) {
      held_.erase(held);
      return;
    }
    next = std::move(held->second.front());
    held->second.pop_front();
  }
  next(Turn::kAfterWaiting);
}

}  // namespace crivet::proxy
