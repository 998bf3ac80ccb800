// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace crivet::proxy {

/// RouterLimits are the caps on what comes from outside, and the times the road waits.
struct RouterLimits {
  /// One more takes the place of one without calls, else of one of the process that has most.
  std::size_t max_connections = 1024;
  /// Accepted connections without a tunnel: silent ones, and those that wait for a place.
  std::size_t max_newcomers = 1024;
  /// How long a connection may be silent. Clients send the preface as soon as they are connected.
  std::chrono::milliseconds newcomer_patience{10'000};
  /// Per downstream connection; more wait at the client.
  std::uint32_t max_concurrent_streams = 10'000;
  /// Name and value bytes of one header block: grpc-message carries runtime errors of many KB.
  std::size_t max_header_bytes = std::size_t{256} * 1024;
  /// How long a call waits for a runtime that cannot be reached before it is UNAVAILABLE.
  std::chrono::milliseconds upstream_patience{500};
  std::chrono::milliseconds upstream_retry{50};
  /// How long a connection that is being closed may take to accept its last bytes.
  std::chrono::milliseconds linger{2000};
};

}  // namespace crivet::proxy
