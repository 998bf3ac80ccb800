// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/roles_ahead.h"

#include <utility>

namespace crivet::trust::tuf1 {

RolesAhead::RolesAhead(Start start)
    : trusted_(std::move(start.trusted)),
      roles_(std::move(start.roles)),
      now_(start.now),
      caps_(start.caps) {
  Follow(std::string(kTargets));
  GoOn();
}

// What a role delegates to, of the roles that are wanted.
void RolesAhead::Follow(const std::string& role) {
  const auto file = trusted_.roles.find(role);
  if (file == trusted_.roles.end() || !file->second.content->delegations()) return;
  for (const std::string& wanted : roles_) {
    const RoleKeys* const keys = file->second.content->delegations()->KeysOf(wanted);
    if (keys != nullptr) waiting_.push_back({wanted, keys, file->second.sha256});
  }
}

void RolesAhead::GoOn() {
  wanted_.reset();
  while (!waiting_.empty()) {
    const RoleFile& role = waiting_.front();
    if (trusted_.Find(role.role, role.delegator) == nullptr &&
        !AcceptKnown(trusted_, role, caps_)) {
      auto request = RequestFor(trusted_, role.role, caps_);
      if (request) {
        wanted_ = *std::move(request);
        return;
      }
      has_all_ = false;
      waiting_.pop_front();
      continue;
    }
    const std::string had = role.role;
    waiting_.pop_front();
    // One that two delegate to is followed once: they have the same file.
    if (roles_.erase(had) > 0) Follow(had);
  }
}

void RolesAhead::Supply(Fetched answer) {
  if (!wanted_) return;
  const std::size_t most = wanted_->max_bytes;
  const bool away = !answer && answer.error().kind == FetchFailure::Kind::kNetwork;
  if (away) {
    // Nobody waits for a server that is away, once for each role.
    has_all_ = false;
    waiting_.clear();
    wanted_.reset();
    return;
  }
  const bool accepted =
      answer && answer->bytes.size() <= most &&
      Accept(trusted_, waiting_.front(), std::move(answer->bytes), Expiry::kEnforced, now_, caps_);
  if (!accepted) {
    has_all_ = false;
    waiting_.pop_front();
  }
  GoOn();
}

}  // namespace crivet::trust::tuf1
