#pragma once

#include <string>
#include <vector>

#include "proxy/config.h"

namespace crivet::proxy {

/// SettingsThatNeedARestart are the keys in which `next` differs from `now` and that a running
/// daemon cannot change: a reload with one of them keeps the old file whole. Pure.
std::vector<std::string> SettingsThatNeedARestart(const Config& now, const Config& next);

}  // namespace crivet::proxy
