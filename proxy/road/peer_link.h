// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/road/http2_session.h"
#include "proxy/road/listener.h"

namespace crivet::proxy {

class RoadBed;

enum class Destination : std::uint8_t { kUpstream, kImageUpstream, kGate };

/// PeerLink is a tunnel's connection to one destination. The session takes streams from the start;
/// they wait in it until there is a socket.
class PeerLink {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  enum class Attempt : std::uint8_t {
    kConnected,
    kAgain,     ///< not now; worth another attempt
    kHopeless,  ///< will not change by waiting
  };

  PeerLink(Destination destination, RoadBed& bed, SessionOwner& owner);

  /// Tries to connect; for the gate `client` is who it will be working for.
  Attempt TryConnect(const PeerCredentials& client);

  Destination destination() const { return destination_; }
  Http2Session& session() { return session_; }
  const Http2Session& session() const { return session_; }
  bool is_waiting() const { return !session_.is_attached() && !ended; }

  /// Why a call cannot be served, for people. The same bytes for the same situation
  /// (proxy/RULES.md#what-kubelet-reads).
  std::string Complaint() const;

  TimePoint retry_at;
  TimePoint give_up_at;
  bool draining = false;  ///< sent GOAWAY: takes no new streams
  bool ended = false;     ///< the connection is gone; the object goes at the end of the round

 private:
  Destination destination_;
  RoadBed& bed_;
  Http2Session session_;
  int last_error_ = 0;
};

}  // namespace crivet::proxy
