// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace crivet::proxy {

/// MessageBudget is how many bytes of gated requests crivet holds at once: on the road while they
/// arrive, in the gate, without their compression, while they are answered
/// (proxy/RULES.md#the-road). No process may hold more than it leaves to the others, so none can
/// use it up. Small messages count apart, each process's alone: they depend neither on others nor
/// on large ones. Thread-safe.
class MessageBudget {
 public:
  struct Limits {
    /// Of one message without its compression.
    std::size_t message = std::size_t{64} * 1024 * 1024;
    /// One process holds half of it at most: a message of that size, and what reading it costs.
    std::size_t total = std::size_t{160} * 1024 * 1024;
    std::size_t small = std::size_t{64} * 1024;
    /// Of one process's small messages.
    std::size_t all_small = std::size_t{32} * 1024 * 1024;
  };

  MessageBudget() : MessageBudget(Limits()) {}
  explicit MessageBudget(const Limits& limits) : limits_(limits) {}
  MessageBudget(const MessageBudget&) = delete;
  MessageBudget& operator=(const MessageBudget&) = delete;

  const Limits& limits() const { return limits_; }

  /// What the caller is told (RESOURCE_EXHAUSTED), always in the same bytes.
  std::string TooLarge() const;
  std::string NoRoom() const;

  /// Holding is what one message of a process has taken; at its end that is given back. One thread
  /// at a time.
  class Holding {
   public:
    Holding(std::shared_ptr<MessageBudget> budget, pid_t process)
        : budget_(std::move(budget)), process_(process) {}
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;
    ~Holding() { Hold(0); }

    /// Holds `bytes` from now on. False where there is no room: then it holds what it held before.
    /// Less than before is always held.
    bool Hold(std::size_t bytes);

    const MessageBudget& budget() const { return *budget_; }

   private:
    const std::shared_ptr<MessageBudget> budget_;
    const pid_t process_;
    std::size_t bytes_ = 0;
  };

 private:
  // Bytes of messages, by the size of each.
  struct Bytes {
    std::size_t small = 0;
    std::size_t large = 0;
  };

  Bytes Of(std::size_t message) const;
  bool Change(pid_t process, std::size_t from, std::size_t to);

  const Limits limits_;
  std::mutex mutex_;
  std::size_t large_ = 0;
  std::unordered_map<pid_t, Bytes> held_;  // by processes that hold something
};

}  // namespace crivet::proxy
