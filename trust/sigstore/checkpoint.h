// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trust/signed/signature_error.h"
#include "trust/sigstore/trusted_root.h"

namespace crivet::trust::sigstore {

/// Checkpoint is a log's signed word on its size and root (C2SP tlog-checkpoint): a value that
/// exists was signed by the log.
struct Checkpoint {
  static constexpr std::size_t kMaxSize = 64 * 1024;

  std::string origin;
  std::uint64_t tree_size = 0;
  std::string root_hash;

  /// Verify reads a signed note (C2SP signed-note). One signature of the log's key has to verify;
  /// those of others (witnesses) are passed over. kTransparencyLog otherwise.
  static SignatureResult<Checkpoint> Verify(std::string_view note, const Log& log);
};

}  // namespace crivet::trust::sigstore
