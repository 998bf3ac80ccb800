// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace crivet::trust {

/// Heard is what a request that failed says of the server itself.
enum class Heard : std::uint8_t {
  kNothingToTell,
  kNotAsked,      ///< what would have authorised the request could not be had
  kAnswer,        ///< at least a byte of an answer came
  kNoFirstByte,   ///< connected, and not a byte in time
  kNoConnection,  ///< no connection, or no TLS
};

/// Arrival is what others see of a request while it runs, and after it. Thread-safe.
struct Arrival {
  /// Set while the body of a large file keeps HttpRequest::kLeastRate, and once it has arrived
  /// whole until something else is asked.
  std::atomic<bool> flows{false};
  std::atomic<Heard> heard{Heard::kNothingToTell};
  /// The same of the token server, kNotAsked while it was not asked.
  std::atomic<Heard> tokens{Heard::kNotAsked};
};

}  // namespace crivet::trust
