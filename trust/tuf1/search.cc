// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/search.h"

#include <algorithm>
#include <set>
#include <utility>

#include "trust/tuf/expiry.h"

namespace crivet::trust::tuf1 {
namespace {

class Walk {
 public:
  Walk(const Trusted& trusted, const Search::Question& question, const Caps& caps)
      : trusted_(trusted),
        question_(question),
        caps_(caps),
        work_(question.work == nullptr ? own_work_ : *question.work) {
    waiting_.push_back(
        {std::string(kTargets), &trusted.root().KeysOf(kTargets), trusted.roots.back().sha256, 0});
  }

  Search::Outcome Run() {
    while (!waiting_.empty()) {
      Step step = std::move(waiting_.back());
      waiting_.pop_back();
      if (std::find(asked_.begin(), asked_.end(), step.role) != asked_.end()) continue;
      if (asked_.size() > caps_.delegations) {
        return TooManyRoles(caps_, std::move(step.role));
      }
      const Targets* const targets = trusted_.Find(step.role, step.delegator);
      if (targets == nullptr) {
        return Search::Missing{{std::move(step.role), step.keys, step.delegator}};
      }
      if (auto failed = Read(step, *targets)) return *std::move(failed);
      if (HasAll()) break;
    }
    if (hits_.empty()) return Search::NotFound{std::move(asked_)};
    return Search::Found{std::move(hits_), std::move(asked_)};
  }

 private:
  struct Step {
    std::string role;
    const RoleKeys* keys;
    Sha256 delegator;
    std::size_t from;  ///< 1 + its place in `way_`; 0: the root
  };
  struct Seen {
    std::string role;
    std::size_t from;
  };

  std::optional<Search::Failed> Read(const Step& step, const Targets& targets) {
    if (question_.expiry == Expiry::kEnforced) {
      const auto time = CheckTime(step.role, targets.version(), targets.expires(), question_.now);
      if (!time) return Search::Failed{time.error(), step.role};
    }
    asked_.push_back(step.role);
    way_.push_back({step.role, step.from});
    const std::size_t here = way_.size();
    if (const TargetEntry* entry = targets.Find(question_.name)) {
      if (hits_.empty() || IsSigner(step.role)) hits_.push_back({step.role, entry, ChainTo(here)});
      if (HasAll()) return std::nullopt;
    }
    if (!targets.delegations()) return std::nullopt;
    return Descend(step, *targets.delegations(), here);
  }

  std::optional<Search::Failed> Descend(const Step& step, const Delegations& delegations,
                                        std::size_t here) {
    // What several searches may spend together is for those who are delegated to: the publisher's
    // own patterns are no more for each.
    const auto next =
        delegations.For(question_.name, step.role == kTargets ? work_on_targets_ : work_);
    if (!next) return Search::Failed{Of(step.role, next.error()), step.role};
    // A terminating delegation drops what waits at every level.
    if (!next->empty() && next->back().terminating == DelegatedRole::Terminating::kYes) {
      waiting_.clear();
    }
    const Sha256& file = trusted_.roles.find(step.role)->second.sha256;
    for (auto role = next->rbegin(); role != next->rend(); ++role) {
      waiting_.push_back({role->role, delegations.KeysOf(role->role), file, here});
    }
    return std::nullopt;
  }

  bool IsSigner(const std::string& role) const {
    return std::find(question_.signers.begin(), question_.signers.end(), role) !=
           question_.signers.end();
  }

  // Whether no role that is still to come could change the answer.
  bool HasAll() const {
    return !hits_.empty() &&
           std::all_of(question_.signers.begin(), question_.signers.end(), [&](const auto& role) {
             return std::find(asked_.begin(), asked_.end(), role) != asked_.end();
           });
  }

  std::vector<Link> ChainTo(std::size_t place) const {
    std::vector<Link> chain;
    while (place > 0) {
      const Seen& seen = way_[place - 1];
      const std::string delegator = seen.from == 0 ? std::string(kRoot) : way_[seen.from - 1].role;
      chain.push_back({delegator, seen.role});
      place = seen.from;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
  }

  const Trusted& trusted_;
  const Search::Question& question_;
  const Caps& caps_;
  MatchWork work_on_targets_;
  MatchWork own_work_;
  MatchWork& work_;
  std::vector<Step> waiting_;
  std::vector<Seen> way_;
  std::vector<std::string> asked_;
  std::vector<Hit> hits_;
};

}  // namespace

Search::Failed TooManyRoles(const Caps& caps, std::string at) {
  return {{Reason::kNoTrustData, "the search for the name passes more than " +
                                     std::to_string(caps.delegations) + " delegated roles"},
          std::move(at)};
}

Search::Outcome Find(const Trusted& trusted, const Search::Question& question, const Caps& caps) {
  return Walk(trusted, question, caps).Run();
}

}  // namespace crivet::trust::tuf1
