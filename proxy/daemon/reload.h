// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// SettingsThatNeedARestart are the keys in which `next` differs from `now` and that a running
/// daemon cannot change: a reload with one of them keeps the old file whole. Pure.
std::vector<std::string> SettingsThatNeedARestart(const Config& now, const Config& next);

/// ReloadOutcomes tells whoever asked for a reload what came of it. One thread reloads, between
/// Begin and End; any number of others wait in Request.
class ReloadOutcomes {
 public:
  /// Why the old configuration was kept, a line each; empty where the new one was taken.
  using Problems = std::vector<std::string>;

  /// From here on the file is read.
  void Begin();
  /// What came of it.
  void End(Problems problems);
  /// There will be no more reloads.
  void Close();

  /// Asks for a reload with `ask` and waits for the end of one that began after that. kState where
  /// there are no more reloads, or `go_on`, which is called a few times a second, says no.
  trust::Result<Problems> Request(const std::function<void()>& ask,
                                  const std::function<bool()>& go_on);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  bool closed_ = false;
  Problems problems_;  ///< of the last that ended
};

}  // namespace crivet::proxy
