// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "trust/base/result.h"

namespace crivet::trust {

/// TimePoint is wall-clock UTC in whole seconds. The core never asks for the time: it is an
/// argument.
using TimePoint = std::chrono::sys_seconds;

/// ParseRfc3339 reads the form that Notary writes: upper-case T and Z, 1-9 fraction digits
/// (dropped), a numeric offset allowed (trust/notary/FORMAT.md#envelopes). Anything else is
/// kMalformed.
Result<TimePoint> ParseRfc3339(std::string_view text);

/// FormatRfc3339 writes `2026-11-24T09:12:00Z`.
std::string FormatRfc3339(TimePoint time);

}  // namespace crivet::trust
