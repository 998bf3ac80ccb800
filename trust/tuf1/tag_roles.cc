// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tag_roles.h"

#include <cstdint>
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
        {{std::string(kTargets), &trusted.root().KeysOf(kTargets), trusted.roots.back().sha256},
         Tags::kEvery});
  }

  TagRoles Run() && {
    while (!waiting_.empty() && !found_.failed && found_.in_bins.empty()) {
      auto [role, tags] = std::move(waiting_.back());
      waiting_.pop_back();
      // The search of one tag may come to a role through another delegator than that of the next.
      if (!seen_.emplace(role.delegator, role.role).second) continue;
      // Each way to a role has its file verified again.
      const bool too_many_ways = seen_.size() > kWaysToARole * (caps_.delegations + 1);
      if (too_many_ways || (!names_.contains(role.role) && names_.size() > caps_.delegations)) {
        found_.failed = TooManyRoles(caps_, role.role);
      } else {
        Read(std::move(role), tags);
      }
    }
    return std::move(found_);
  }

 private:
  /// Which tags' searches come to a role, of those that have not ended before.
  enum class Tags : std::uint8_t { kSome, kEvery };
  struct Waiting {
    RoleFile role;
    Tags tags;
  };

  void Read(RoleFile role, Tags tags) {
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
      // A search visits a role once: some have been here before where this is another way to it.
      Descend(role.role, *targets->delegations(), *next, first ? tags : Tags::kSome);
    }
  }

  void Descend(const std::string& role, const Delegations& delegations,
               const Delegations::NextForTags& next, Tags tags) {
    // A terminating delegation of every tag drops what waits at every level, for the tags that come
    // to it. Whoever has some of an image's tags alone must not hide who has the others.
    if (next.ends && tags == Tags::kEvery) waiting_.clear();
    const Sha256& file = trusted_.roles.find(role)->second.sha256;
    for (auto to = next.roles.rbegin(); to != next.roles.rend(); ++to) {
      waiting_.push_back(
          {{to->role, delegations.KeysOf(to->role), file}, to->for_every_tag ? tags : Tags::kSome});
    }
  }

  const Trusted& trusted_;
  const std::string_view prefix_;
  const Expiry expiry_;
  const TimePoint now_;
  const Caps& caps_;
  MatchWork work_;
  std::vector<Waiting> waiting_;
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
