// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/pod_answers.h"

namespace crivet::proxy {
namespace {

// Callers' texts may be as long as a message.
constexpr std::size_t kMostOfEach = 512;

std::string KeyOf(const PodAnswers::Answer& answer) {
  std::string key;
  for (const std::string_view part :
       {answer.pod_uid, answer.canonical, answer.verdict, answer.rule, answer.mode}) {
    key += part.substr(0, kMostOfEach);
    key += '\0';
  }
  return key;
}

}  // namespace

std::uint64_t PodAnswers::Count(const Answer& answer) {
  std::string key = KeyOf(answer);
  const std::lock_guard lock(mutex_);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    latest_.splice(latest_.begin(), latest_, known->second);
    return ++known->second->times;
  }
  latest_.push_front({std::move(key), 0});
  // The view is of the list's own text, which stays where it is.
  by_key_.emplace(latest_.front().key, latest_.begin());
  if (latest_.size() > kMost) {
    by_key_.erase(latest_.back().key);
    latest_.pop_back();
  }
  return 0;
}

}  // namespace crivet::proxy
