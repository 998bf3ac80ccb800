// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tag_roles.h"

#include <set>
#include <utility>

#include "trust/tuf/expiry.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::size_t kWaysToARole = 2;

class TagWalk {
 public:
  TagWalk(const Trusted& trusted, std::string_view prefix, Expiry expiry, TimePoint now,
          const Caps& caps)
      : trusted_(trusted), prefix_(prefix), expiry_(expiry), now_(now), caps_(caps) {
    waiting_.push_back(
        {std::string(kTargets), &trusted.root().KeysOf(kTargets), trusted.roots.back().sha256});
  }

  TagRoles Run() && {
    while (!waiting_.empty() && !found_.failed && found_.in_bins.empty()) {
      RoleFile role = std::move(waiting_.back());
      waiting_.pop_back();
      // The search of one tag may come to a role through another delegator than that of the next.
      if (!seen_.emplace(role.delegator, role.role).second) continue;
      // Each way to a role has its file verified again.
      const bool too_many_ways = seen_.size() > kWaysToARole * (caps_.delegations + 1);
      if (too_many_ways || (!names_.contains(role.role) && names_.size() > caps_.delegations)) {
        found_.failed = TooManyRoles(caps_, role.role);
      } else {
        Read(std::move(role));
      }
    }
    return std::move(found_);
  }

 private:
  void Read(RoleFile role) {
    const bool first = names_.insert(role.role).second;
    const Targets* const targets = trusted_.Find(role.role, role.delegator);
    if (targets == nullptr) {
      if (!found_.missing) found_.missing = std::move(role);
      return;
    }
    if (expiry_ == Expiry::kEnforced) {
      const auto time = CheckTime(role.role, targets->version(), targets->expires(), now_);
      if (!time) {
        found_.failed = Search::Failed{time.error(), role.role};
        return;
      }
    }
    if (first) found_.here.push_back(role.role);
    if (!targets->delegations()) return;
    const auto next = targets->delegations()->ForTagsOf(prefix_, work_);
    if (!next) {
      found_.failed = Search::Failed{Of(role.role, next.error()), role.role};
    } else if (next->by_hash) {
      found_.in_bins = role.role;
    } else {
      Descend(role.role, *targets->delegations(), *next);
    }
  }

  void Descend(const std::string& role, const Delegations& delegations,
               const Delegations::NextForTags& next) {
    // A terminating delegation of every tag drops what waits at every level.
    if (next.ends) waiting_.clear();
    const Sha256& file = trusted_.roles.find(role)->second.sha256;
    for (auto to = next.roles.rbegin(); to != next.roles.rend(); ++to) {
      waiting_.push_back({*to, delegations.KeysOf(*to), file});
    }
  }

  const Trusted& trusted_;
  const std::string_view prefix_;
  const Expiry expiry_;
  const TimePoint now_;
  const Caps& caps_;
  MatchWork work_;
  std::vector<RoleFile> waiting_;
  std::set<std::pair<Sha256, std::string>> seen_;
  std::set<std::string> names_;
  TagRoles found_;
};

}  // namespace

TagRoles FindTagRoles(const Trusted& trusted, std::string_view prefix, Expiry expiry, TimePoint now,
                      const Caps& caps) {
  return TagWalk(trusted, prefix, expiry, now, caps).Run();
}

}  // namespace crivet::trust::tuf1
