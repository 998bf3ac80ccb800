// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/role_search.h"

#include <utility>
#include <variant>

#include "trust/tuf/root_walk.h"

namespace crivet::trust::tuf1 {

RoleSearch::RoleSearch(Trusted trusted, Search::Question question, Caps caps)
    : trusted_(std::move(trusted)),
      name_(question.name),
      question_(std::move(question)),
      caps_(caps) {
  question_.name = name_;
  GoOn();
}

void RoleSearch::EndWith(RefreshFailure failure) {
  outcome_ = Search::Failed{failure.error, failure.at};
  failure_ = std::move(failure);
}

void RoleSearch::GoOn() {
  wanted_.reset();
  while (true) {
    Search::Outcome outcome = Find(trusted_, question_, caps_);
    auto* const missing = std::get_if<Search::Missing>(&outcome);
    if (missing == nullptr) {
      outcome_ = std::move(outcome);
      return;
    }
    // A file that is here may be good through another delegator and bad through this one.
    if (AcceptKnown(trusted_, missing->file, caps_)) continue;
    auto request = RequestFor(trusted_, missing->file.role, caps_);
    if (!request) {
      RefreshFailure failure;
      failure.error = request.error();
      failure.at = missing->file.role;
      return EndWith(std::move(failure));
    }
    missing_ = std::move(missing->file);
    wanted_ = *std::move(request);
    return;
  }
}

void RoleSearch::Supply(Fetched answer) {
  if (!wanted_) return;
  if (answer && answer->bytes.size() > wanted_->max_bytes) {
    answer = tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge, {}});
  }
  if (!answer) {
    RefreshFailure failure = FailureOf(answer.error(), *wanted_, missing_->role);
    wanted_.reset();
    return EndWith(std::move(failure));
  }
  const auto accepted =
      Accept(trusted_, *missing_, std::move(answer->bytes), question_.expiry, question_.now, caps_);
  if (accepted) return GoOn();
  wanted_.reset();
  RefreshFailure failure;
  failure.error = accepted.error();
  failure.at = missing_->role;
  EndWith(std::move(failure));
}

}  // namespace crivet::trust::tuf1
