// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/reload.h"

#include <chrono>
#include <utility>

namespace crivet::proxy {

std::vector<std::string> SettingsThatNeedARestart(const Config& now, const Config& next) {
  std::vector<std::string> keys;
  if (now.listen != next.listen) keys.emplace_back("listen");
  if (now.upstream != next.upstream) keys.emplace_back("upstream");
  if (now.image_upstream != next.image_upstream) keys.emplace_back("image_upstream");
  if (now.state_dir != next.state_dir) keys.emplace_back("state_dir");
  if (now.admin != next.admin) keys.emplace_back("admin");
  if (now.audit != next.audit) keys.emplace_back("audit in [log]");
  return keys;
}

void ReloadOutcomes::Begin() {
  const std::lock_guard lock(mutex_);
  ++begun_;
}

void ReloadOutcomes::End(Problems problems) {
  const std::lock_guard lock(mutex_);
  problems_ = std::move(problems);
  ended_ = begun_;
  changed_.notify_all();
}

void ReloadOutcomes::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

trust::Result<ReloadOutcomes::Problems> ReloadOutcomes::Request(
    const std::function<void()>& ask, const std::function<bool()>& go_on) {
  constexpr std::chrono::milliseconds kTurn{200};
  std::unique_lock lock(mutex_);
  const std::uint64_t before = begun_;
  ask();
  // One that runs already may have read the file before it changed.
  while (ended_ <= before) {
    if (closed_) return trust::Fail(trust::Reason::kState, "the daemon is stopping");
    if (!go_on()) return trust::Fail(trust::Reason::kState, "nobody waits for it any more");
    changed_.wait_for(lock, kTurn);
  }
  return problems_;
}

}  // namespace crivet::proxy
