// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/road/http2_session.h"
#include "proxy/road/listener.h"
#include "proxy/road/peer_link.h"
#include "proxy/road/stream_relay.h"

namespace crivet::proxy {

class RoadBed;

/// Tunnel is one downstream connection with the connections that its calls go to. It passes each
/// stream on by the method table, and ties the fates of the two sides together: a reset on one side
/// is a reset on the other, a runtime that says GOAWAY or dies does so towards the client.
class Tunnel final : public SessionOwner {
 public:
  using TimePoint = PeerLink::TimePoint;

  Tunnel(RoadBed& bed, Listener::Accepted accepted);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Asks the client to open no new streams.
  void BeginDrain();
  /// Ends what is still in flight with UNAVAILABLE.
  void EndDrain();

  /// No call is under way, and nothing has arrived that might begin one.
  bool IsIdle() const;
  bool has_had_calls() const { return has_had_calls_; }
  /// The round in which the connection was made or its latest call began.
  std::uint64_t last_used() const { return last_used_; }
  const PeerCredentials& client() const { return client_; }
  /// Ends the connection now, with a GOAWAY and whatever else can be written at once.
  void Dismiss(std::string_view why);

  /// When OnTimer() wants to be called; nothing if it does not.
  std::optional<TimePoint> NextWake() const;
  void OnTimer(TimePoint now);

  /// Resets what OnStreamClosed() left for after the flush.
  void SendLateResets();

  /// Frees connections that have ended. False if the tunnel itself has.
  bool Reap();

  // SessionOwner
  void OnHeaders(Http2Session& session, std::int32_t stream, StreamRelay* relay, HeaderBlock& block,
                 StreamEnd end) override;
  void OnBytes(Http2Session& session, std::int32_t stream, StreamRelay* relay,
               Slice slice) override;
  void OnEndOfBytes(Http2Session& session, std::int32_t stream, StreamRelay* relay) override;
  void OnStreamClosed(Http2Session& session, std::int32_t stream, StreamRelay* relay,
                      std::uint32_t error_code) override;
  void OnEndSent(Http2Session& session, std::int32_t stream, StreamRelay* relay) override;
  void OnGoaway(Http2Session& session, std::uint32_t error_code, std::string_view debug) override;
  void OnPong(Http2Session& session) override;
  void OnSessionEnd(Http2Session& session, EndReason reason) override;

  /// Its place among the loop's tunnels, and on which of the round's lists it stands.
  std::size_t index = 0;
  bool is_waiting = false;
  bool has_late_resets = false;
  bool is_to_reap = false;

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kOver };

  void WaitForTimer();
  void AskToBeReaped();
  void OnRequest(std::int32_t stream, HeaderBlock& block, StreamEnd end);
  void OnResponseHeaders(StreamRelay& relay, HeaderBlock& block, StreamEnd end);
  PeerLink& LinkTo(Destination destination);
  PeerLink& LinkOf(const Http2Session& session);
  void Connect(PeerLink& link, TimePoint now);
  void OnLinkEnd(PeerLink& link);
  void FailLink(PeerLink& link);
  void CloseDownstream();
  void EndCalls(std::string_view why);
  void Fail(StreamRelay& relay, GrpcStatus status, std::string_view message);
  void OnDownstreamClosed(StreamRelay& relay, std::uint32_t error_code);
  void OnPeerClosed(StreamRelay& relay, std::uint32_t error_code);
  void Finish(StreamRelay& relay, CallOutcome outcome);
  void ReleaseIfDone(StreamRelay& relay);
  StreamRelay& NewRelay(std::int32_t stream, MethodRow row);

  RoadBed& bed_;
  PeerCredentials client_;
  Http2Session downstream_;
  std::vector<std::unique_ptr<PeerLink>> links_;
  StreamRelay* relays_ = nullptr;
  State state_ = State::kOpen;
  bool goaway_sent_ = false;
  bool has_ended_links_ = false;
  bool has_had_calls_ = false;
  std::uint64_t last_used_;
  TimePoint close_at_;  // kClosing: when patience with a slow reader ends
};

}  // namespace crivet::proxy
