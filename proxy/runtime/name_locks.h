// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// NameLocks serialise work per name without blocking a thread: who finds a name taken is resumed
/// when its turn comes, in the order of asking. Thread-safe; outlives its Holds.
class NameLocks {
 public:
  /// Hold is the right to work on a name; it ends with the object.
  class Hold {
   public:
    Hold(Hold&& other) noexcept
        : locks_(std::exchange(other.locks_, nullptr)), name_(std::move(other.name_)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (locks_ != nullptr) locks_->Release(name_);
    }

   private:
    friend class NameLocks;
    Hold(NameLocks& locks, std::string name) : locks_(&locks), name_(std::move(name)) {}
    NameLocks* locks_;
    std::string name_;
  };

  Task<Hold> Acquire(const std::string& name);

 private:
  enum class Turn { kAtOnce, kAfterWaiting };
  using Granted = std::function<void(Turn)>;

  void Enqueue(const std::string& name, Granted granted);
  void Release(const std::string& name);

  std::mutex mutex_;
  // A name that is here is held; the queue is who waits for it.
  std::map<std::string, std::deque<Granted>> held_;
};

}  // namespace crivet::proxy
