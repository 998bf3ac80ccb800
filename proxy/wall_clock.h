// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "trust/base/time.h"

namespace crivet::proxy {

/// Now is the machine's wall clock, in the core's unit.
inline trust::TimePoint Now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace crivet::proxy
