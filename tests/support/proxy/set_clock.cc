// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/set_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace crivet::proxy {
namespace {

std::atomic<long> offset{0};

}  // namespace

SetClock::~SetClock() { offset = 0; }
void SetClock::Step(std::chrono::seconds by) { offset += by.count(); }

}  // namespace crivet::proxy

// Instead of the C library's, for every library of the process.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long failed = syscall(SYS_clock_gettime, clock, time);
  if (failed == 0 && clock == CLOCK_REALTIME) time->tv_sec += crivet::proxy::offset;
  return static_cast<int>(failed);
}
