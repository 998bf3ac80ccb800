// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/roles_ahead.h"

#include <utility>

#include "trust/tuf/within.h"

namespace crivet::trust::tuf1 {

RolesAhead::RolesAhead(Start start)
    : trusted_(std::move(start.trusted)),
      roles_(std::move(start.roles)),
      now_(start.now),
      caps_(start.caps),
      expiry_(start.expiry),
      most_bytes_(start.most_bytes) {
  Follow(std::string(kTargets), "");
  GoOn();
}

// What a role delegates to, of the roles that are wanted.
void RolesAhead::Follow(const std::string& role, const std::string& owner) {
  const auto file = trusted_.roles.find(role);
  if (file == trusted_.roles.end() || !file->second.content->delegations()) return;
  const Delegations& delegations = *file->second.content->delegations();
  for (const std::string& wanted : roles_) {
    const RoleKeys* const keys = delegations.KeysOf(wanted);
    if (keys == nullptr) continue;
    const RoleOfOwner one = {wanted, role == kTargets ? delegations.NameFor(wanted) : owner};
    if (followed_.contains(one) || ++delegators_[one] > kMostDelegators) continue;
    waiting_.push_back({{wanted, keys, file->second.sha256}, one.second});
  }
}

void RolesAhead::PassOver() {
  has_all_ = false;
  waiting_.pop_front();
}

void RolesAhead::GoOn() {
  wanted_.reset();
  while (!waiting_.empty()) {
    const RoleFile& role = waiting_.front().file;
    if (trusted_.Find(role.role, role.delegator) == nullptr &&
        !AcceptKnown(trusted_, role, caps_)) {
      auto request = RequestFor(trusted_, role.role, caps_);
      if (request && bytes_[waiting_.front().owner] < most_bytes_) {
        wanted_ = *std::move(request);
        return;
      }
      PassOver();
      continue;
    }
    const Waiting had = std::move(waiting_.front());
    waiting_.pop_front();
    // One that two below an owner delegate to is followed once: they have the same file. What lies
    // below it is each owner's, so that nobody spends another's share.
    if (followed_.emplace(had.file.role, had.owner).second) Follow(had.file.role, had.owner);
  }
}

void RolesAhead::Supply(Fetched answer) {
  if (!wanted_) return;
  answer = Within(*wanted_, std::move(answer));
  const bool away = !answer && answer.error().kind == FetchFailure::Kind::kNetwork;
  if (away) {
    // Nobody waits for a server that is away, once for each role.
    has_all_ = false;
    waiting_.clear();
    wanted_.reset();
    return;
  }
  if (answer) bytes_[waiting_.front().owner] += answer->bytes.size();
  const bool accepted = answer && Accept(trusted_, waiting_.front().file, std::move(answer->bytes),
                                         expiry_, now_, caps_);
  if (!accepted) PassOver();
  GoOn();
}

}  // namespace crivet::trust::tuf1
