// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpc/support/time.h>

#include <chrono>
#include <optional>

namespace crivet::proxy {

/// DeadlineIn is `limit` from now, for gRPC: by the clock that nobody can set. A deadline by the
/// wall clock would be over, or years away, when somebody sets that one meanwhile.
inline gpr_timespec DeadlineIn(std::chrono::milliseconds limit) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(limit.count(), GPR_TIMESPAN));
}

/// How long it is until a deadline of gRPC's; nothing where there is none.
inline std::optional<std::chrono::milliseconds> TimeUntil(gpr_timespec deadline) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return std::nullopt;
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return std::chrono::milliseconds(gpr_time_to_millis(left));
}

}  // namespace crivet::proxy
