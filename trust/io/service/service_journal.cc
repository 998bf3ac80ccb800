// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_journal.h"

#include <utility>

namespace crivet::trust {

void ServiceJournal::CountChanged() {
  const std::lock_guard lock(mutex_);
  ++counts_.changed;
}

void ServiceJournal::CountUnchanged() {
  const std::lock_guard lock(mutex_);
  ++counts_.unchanged;
}

void ServiceJournal::CountFailed(Reason reason) {
  const std::lock_guard lock(mutex_);
  ++counts_.failed[reason];
}

void ServiceJournal::CountFirstUse() {
  const std::lock_guard lock(mutex_);
  ++counts_.trusted_on_first_use;
}

void ServiceJournal::CountDisagreement() {
  const std::lock_guard lock(mutex_);
  ++disagreements_;
}

std::uint64_t ServiceJournal::disagreements() const {
  const std::lock_guard lock(mutex_);
  return disagreements_;
}

RefreshCounts ServiceJournal::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void ServiceJournal::NoteState(const std::string& problem) {
  {
    const std::lock_guard lock(mutex_);
    if (state_problem_ == problem) return;
    state_problem_ = problem;
  }
  Say(problem.empty() ? "the state folder takes writes again"
                      : "what is verified is kept in memory only: " + problem);
}

std::string ServiceJournal::state_problem() const {
  const std::lock_guard lock(mutex_);
  return state_problem_;
}

std::string Shown(const CollectionId& id, const RefreshFailure& failure) {
  std::string line = "refresh of " + id.name + " from " + id.url + " failed";
  if (!failure.at.empty()) line += " at " + failure.at;
  line += ": " + failure.error.detail;
  if (failure.why) line += ": " + Explained(*failure.why);
  line += " [" + std::string(CodeOf(failure.error.reason)) + "]";
  return line;
}

}  // namespace crivet::trust
