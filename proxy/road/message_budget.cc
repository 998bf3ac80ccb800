// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/message_budget.h"

namespace crivet::proxy {

std::string MessageBudget::TooLarge() const {
  return "crivet takes requests of up to " + std::to_string(limits_.message / 1024 / 1024) +
         " MiB, without their compression: this one is larger";
}

std::string MessageBudget::NoRoom() const {
  return "crivet holds as many bytes of this process's requests as it takes at once: try again";
}

bool MessageBudget::Holding::Hold(std::size_t bytes) {
  if (bytes != bytes_ && !budget_->Change(process_, bytes_, bytes)) return false;
  bytes_ = bytes;
  return true;
}

MessageBudget::Bytes MessageBudget::Of(std::size_t message) const {
  return message > limits_.small ? Bytes{.large = message} : Bytes{.small = message};
}

bool MessageBudget::Change(pid_t process, std::size_t from, std::size_t to) {
  const Bytes less = Of(from);
  const Bytes more = Of(to);
  const std::lock_guard lock(mutex_);
  const auto at = held_.try_emplace(process).first;
  const Bytes own{.small = at->second.small - less.small + more.small,
                  .large = at->second.large - less.large + more.large};
  const std::size_t large = large_ - less.large + more.large;
  const bool fits = more.large == 0 ? own.small <= limits_.all_small
                                    : large <= limits_.total && own.large <= limits_.total - large;
  const bool held = to < from || fits;
  if (held) {
    at->second = own;
    large_ = large;
  }
  if (at->second.small == 0 && at->second.large == 0) held_.erase(at);
  return held;
}

}  // namespace crivet::proxy
