// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/role_search.h"

#include <utility>
#include <variant>

#include "trust/base/quoted.h"
#include "trust/tuf/root_walk.h"
#include "trust/tuf/within.h"
#include "trust/tuf1/tag_roles.h"

namespace crivet::trust::tuf1 {

RoleSearch::RoleSearch(Trusted trusted, Search::Question question, Caps caps)
    : RoleSearch(std::move(trusted), std::move(question), "", caps) {}

RoleSearch::RoleSearch(Trusted trusted, Search::Question question, std::string tags_of, Caps caps)
    : trusted_(std::move(trusted)),
      name_(question.name),
      tags_of_(std::move(tags_of)),
      question_(std::move(question)),
      caps_(caps) {
  question_.name = name_;
  GoOn();
}

void RoleSearch::EndWith(RefreshFailure failure) {
  outcome_ = Search::Failed{failure.error, failure.at};
  failure_ = std::move(failure);
}

Search::Outcome RoleSearch::Look() const {
  Search::Outcome outcome = Search::NotFound{};
  if (!name_.empty()) outcome = Find(trusted_, question_, caps_);
  if (!tags_of_.empty()) LookForTags(outcome);
  return outcome;
}

void RoleSearch::LookForTags(Search::Outcome& outcome) const {
  auto* const nobody = std::get_if<Search::NotFound>(&outcome);
  if (nobody == nullptr) return;
  TagRoles roles = FindTagRoles(trusted_, tags_of_, question_.expiry, question_.now, caps_);
  if (!roles.in_bins.empty()) return;
  if (roles.failed) {
    outcome = *std::move(roles.failed);
  } else if (roles.missing) {
    outcome = Search::Missing{*std::move(roles.missing)};
  } else {
    nobody->asked.insert(nobody->asked.end(), roles.here.begin(), roles.here.end());
  }
}

void RoleSearch::GoOn() {
  wanted_.reset();
  while (true) {
    Search::Outcome outcome = Look();
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
      failure.at = Quoted(missing->file.role);
      return EndWith(std::move(failure));
    }
    missing_ = std::move(missing->file);
    wanted_ = *std::move(request);
    return;
  }
}

void RoleSearch::Supply(Fetched answer) {
  if (!wanted_) return;
  answer = Within(*wanted_, std::move(answer));
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
  failure.at = Quoted(missing_->role);
  EndWith(std::move(failure));
}

}  // namespace crivet::trust::tuf1
