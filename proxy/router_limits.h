#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace crivet::proxy {

/// RouterLimits are the caps on what comes from outside, and the times the road waits.
struct RouterLimits {
  std::size_t max_connections = 1024;
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
