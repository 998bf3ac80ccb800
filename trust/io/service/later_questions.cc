// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/later_questions.h"

#include <algorithm>
#include <map>
#include <utility>

namespace crivet::trust {

void LaterQuestions::Add(LaterQuestion question, Time now) {
  auto asker = std::find_if(turns_.begin(), turns_.end(), [&](const Asker& one) {
    return one.rule == question.rule && one.repository == question.repository;
  });
  if (asker == turns_.end()) {
    asker = turns_.insert(asker, Asker{question.rule, question.repository, {}});
  }
  std::deque<Waiting>& waiting = asker->waiting;
  const auto same = std::find_if(waiting.begin(), waiting.end(), [&](const Waiting& one) {
    return one.question.subject == question.subject;
  });
  if (same != waiting.end()) {
    // The newer one knows the rule as it is today.
    same->question = std::move(question);
    return;
  }
  waiting.push_back({std::move(question), now});
  ++size_;
  if (waiting.size() > kMostOfRepository) {
    waiting.pop_front();
    --size_;
  }
  if (size_ > kMost) MakeRoom();
}

// Of the rule that has most, and of it the repository that has most. Of those that have as many the
// one that came last gives: nobody pushes out who was there before.
void LaterQuestions::MakeRoom() {
  std::map<std::string, std::size_t> of_rule;
  for (const Asker& asker : turns_) of_rule[asker.rule] += asker.waiting.size();
  const std::string& rule =
      std::max_element(of_rule.begin(), of_rule.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->first;
  auto most = turns_.end();
  for (auto asker = turns_.begin(); asker != turns_.end(); ++asker) {
    if (asker->rule != rule) continue;
    if (most == turns_.end() || asker->waiting.size() >= most->waiting.size()) most = asker;
  }
  most->waiting.pop_front();
  if (most->waiting.empty()) turns_.erase(most);
  --size_;
}

bool LaterQuestions::MayAsk(const Asker& asker) const {
  return !asked_.contains(asker.waiting.front().question.server);
}

std::optional<LaterQuestion> LaterQuestions::Next(Pulls pulls, Time now) {
  if (asked_.size() >= kAtOnce) return std::nullopt;
  const auto asker = std::find_if(turns_.begin(), turns_.end(), [&](const Asker& one) {
    const bool its_time = pulls == Pulls::kNone || now - one.waiting.front().since >= kLongestWait;
    return its_time && MayAsk(one);
  });
  if (asker == turns_.end()) return std::nullopt;
  LaterQuestion next = std::move(asker->waiting.front().question);
  asker->waiting.pop_front();
  --size_;
  if (asker->waiting.empty()) {
    turns_.erase(asker);
  } else {
    turns_.splice(turns_.end(), turns_, asker);
  }
  asked_.insert(next.server);
  return next;
}

void LaterQuestions::Ended(const std::string& server) { asked_.erase(server); }

std::optional<LaterQuestions::Time> LaterQuestions::NextDue() const {
  if (asked_.size() >= kAtOnce) return std::nullopt;
  std::optional<Time> due;
  for (const Asker& asker : turns_) {
    if (!MayAsk(asker)) continue;
    const Time at = asker.waiting.front().since + kLongestWait;
    due = std::min(due.value_or(at), at);
  }
  return due;
}

}  // namespace crivet::trust
