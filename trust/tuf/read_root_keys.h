// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "trust/decide/key_reader.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

// What a `root` table may say of keys, for every kind that has roots.

/// Its `key_ids`; what is wrong is said through `root`.
std::vector<KeyId> ReadKeyIds(KeyReader& root);

/// Its `tofu`, with a warning where it is true.
bool ReadTofu(KeyReader& root);

}  // namespace crivet::trust
