// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace crivet::trust {

/// Limits is the one table of caps on what comes from outside (trust/notary/FORMAT.md#sizes). Sizes
/// are bytes. A field is a maximum that is still accepted.
struct Limits {
  std::size_t root_bytes = 512 * 1024;
  std::size_t timestamp_bytes = 64 * 1024;
  std::size_t snapshot_bytes = 1024 * 1024;
  /// Targets and every delegation; `max_targets_size` in the configuration, up to 128 MiB.
  std::size_t targets_bytes = 16 * 1024 * 1024;
  static constexpr std::size_t kLargestTargetsBytes = 128 * 1024 * 1024;
  std::size_t json_depth = 16;
  std::size_t signatures = 64;
  std::size_t keys = 256;
  std::size_t delegations = 64;
  /// Links that are walked between the anchor and the newest root, either way.
  std::size_t root_steps = 64;
  std::size_t records = 4096;
  std::size_t reference_bytes = 4096;
};

}  // namespace crivet::trust
