// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "proxy/road/arriving_message.h"
#include "proxy/road/road_counters.h"
#include "proxy/road/stream_pipe.h"

namespace crivet::proxy {

class Http2Session;

/// CallState is what a StreamRelay knows about its call, all of it fresh for the next one.
struct CallState {
  Http2Session* downstream = nullptr;  ///< null once that stream is closed
  std::int32_t downstream_stream = 0;
  Http2Session* peer = nullptr;  ///< the runtime's or the gate's session; null once closed
  std::int32_t peer_stream = 0;

  MethodRow row = 0;
  std::optional<CallOutcome> outcome;  ///< unset until the call has ended
  bool response_begun = false;         ///< final response headers have been passed on
  bool response_end_sent = false;      ///< END_STREAM has left towards the client
  bool abandoned = false;              ///< crivet itself has answered: what still comes is dropped
  bool reset_after_flush = false;
  /// With what the peer closed; passed on after what it sent before.
  std::uint32_t late_reset = 0;
  /// The client's deadline (`grpc-timeout`), only known while the call waits for its runtime.
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

/// StreamRelay joins one downstream stream with the stream that carries its call further. It lives
/// until both are closed. A plain record: the Tunnel acts on it.
struct StreamRelay : CallState {
  StreamPipe request;
  StreamPipe response;
  std::optional<ArrivingMessage> arriving;  ///< of a gated call that has not ended
  StreamRelay* next = nullptr;              ///< in the tunnel's list, or the loop's spare ones
  StreamRelay* previous = nullptr;

  void Reset() {
    static_cast<CallState&>(*this) = {};
    request.Reset();
    response.Reset();
    arriving.reset();
    next = nullptr;
    previous = nullptr;
  }
};

}  // namespace crivet::proxy
