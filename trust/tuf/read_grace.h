// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "trust/decide/key_reader.h"

namespace crivet::trust {

/// How long past expiry timestamp and snapshot still count under a rule (trust/RULES.md#freshness):
/// its key `grace`, up to a year, with a warning beyond a day; none where the key is not there.
std::chrono::seconds ReadGrace(KeyReader& keys);

}  // namespace crivet::trust
