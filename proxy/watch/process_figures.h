// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trust/base/time.h"

namespace crivet::proxy {

/// ProcessFigures are what this process takes of the machine.
struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  trust::TimePoint started;
};

/// Reads them now; what cannot be read is 0. Thread-safe.
ProcessFigures ReadProcessFigures(trust::TimePoint started);

}  // namespace crivet::proxy
