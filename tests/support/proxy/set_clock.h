// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace crivet::proxy {

/// SetClock is the machine's wall clock as somebody sets it: for the whole process, gRPC included,
/// until the object is gone. What the kernel itself waits for by the wall clock does not see it.
class SetClock {
 public:
  explicit SetClock(std::chrono::seconds by) { Step(by); }
  SetClock(const SetClock&) = delete;
  SetClock& operator=(const SetClock&) = delete;
  ~SetClock();
  void Step(std::chrono::seconds by);
};

}  // namespace crivet::proxy
