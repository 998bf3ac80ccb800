// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// PullTickets are the pulls that the gate has judged and that the runtime is at now, so that who
/// is asked about the same pull at the runtime's own door need not judge it again
/// (proxy/RULES.md#the-second-door). Thread-safe; outlives its tickets.
class PullTickets {
 public:
  /// Ticket is one pull; it ends with the object.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : tickets_(std::exchange(other.tickets_, nullptr)), key_(std::move(other.key_)) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (tickets_ != nullptr) tickets_->TakeBack(key_);
    }

   private:
    friend class PullTickets;
    Ticket(PullTickets& tickets, std::string key) : tickets_(&tickets), key_(std::move(key)) {}
    PullTickets* tickets_;
    std::string key_;
  };

  /// For a pull of `name`, as it is sent to the runtime. What is no reference has no ticket that
  /// anybody could ask for.
  Ticket Hand(std::string_view name);

  /// Whether the runtime is at a pull of that name which the gate has let through. A pull by digest
  /// is of that digest alone; one by tag is under a rule that pins nothing.
  bool Admit(const trust::ImageReference& reference, const trust::Sha256Digest& digest) const;

 private:
  void TakeBack(const std::string& key);

  mutable std::mutex mutex_;
  std::multiset<std::string> open_;
};

}  // namespace crivet::proxy
