// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/tunnel.h"

#include <algorithm>
#include <utility>

#include "proxy/road/grpc_timeout.h"
#include "proxy/road/road_bed.h"

namespace crivet::proxy {
namespace {

std::optional<Destination> DestinationOf(Route route) {
  switch (route) {
    case Route::kUpstream:
      return Destination::kUpstream;
    case Route::kImageUpstream:
      return Destination::kImageUpstream;
    case Route::kGate:
      return Destination::kGate;
    case Route::kRefuse:
      return std::nullopt;
  }
  return std::nullopt;
}

CallOutcome OutcomeOf(GrpcStatus status) {
  switch (status) {
    case GrpcStatus::kResourceExhausted:
    case GrpcStatus::kUnimplemented:
    case GrpcStatus::kInternal:
      return CallOutcome::kRefused;
    case GrpcStatus::kDeadlineExceeded:
    case GrpcStatus::kUnavailable:
      return CallOutcome::kUnavailable;
  }
  return CallOutcome::kUnavailable;
}

}  // namespace

Tunnel::Tunnel(RoadBed& bed, Listener::Accepted accepted)
    : bed_(bed),
      client_(accepted.peer),
      downstream_(Http2Session::Role::kServer, bed, *this),
      last_used_(bed.round()) {
  downstream_.Attach(std::move(accepted.fd));
}

Tunnel::~Tunnel() {
  while (relays_ != nullptr) {
    StreamRelay& relay = *relays_;
    Finish(relay, CallOutcome::kCancelled);
    relay.downstream = nullptr;
    relay.peer = nullptr;
    ReleaseIfDone(relay);
  }
}

void Tunnel::WaitForTimer() {
  if (!std::exchange(is_waiting, true)) bed_.lists().waiting.push_back(this);
}

void Tunnel::AskToBeReaped() {
  if (!std::exchange(is_to_reap, true)) bed_.lists().to_reap.push_back(this);
}

void Tunnel::OnHeaders(Http2Session& session, std::int32_t stream, StreamRelay* relay,
                       HeaderBlock& block, StreamEnd end) {
  if (&session == &downstream_) {
    if (relay == nullptr) return OnRequest(stream, block, end);
    // Trailers of a request: not gRPC, but HTTP/2, and the runtime's to judge.
    relay->request.EndWith(std::move(block));
    if (relay->peer != nullptr) relay->peer->Resume(relay->peer_stream, relay->request);
    return;
  }
  if (relay == nullptr || relay->downstream == nullptr || relay->abandoned) return;
  OnResponseHeaders(*relay, block, end);
}

void Tunnel::OnRequest(std::int32_t stream, HeaderBlock& block, StreamEnd end) {
  const std::string_view path = block.Find(":path");
  const MethodTable::Entry entry = bed_.methods().Find(path);
  bed_.counters().Started(entry.row);
  has_had_calls_ = true;
  last_used_ = bed_.round();
  if (block.RepeatsPseudoHeader()) {
    // Whoever reads the second `:path` would take the call for another one.
    bed_.counters().Ended(entry.row, CallOutcome::kRefused);
    return downstream_.Reset(stream, NGHTTP2_PROTOCOL_ERROR);
  }
  const auto destination = DestinationOf(entry.route);
  if (!destination) {
    bed_.counters().Ended(entry.row, CallOutcome::kRefused);
    std::string message = UnimplementedMessage(path);
    if (IsNativeContainerdPath(path)) {
      message +=
          " (crivet listens here; containerd's own API is at " + bed_.options().upstream + ")";
    }
    downstream_.SubmitTrailersOnly(stream, TrailersOnly(GrpcStatus::kUnimplemented, message));
    return;
  }
  if (state_ != State::kOpen) {
    bed_.counters().Ended(entry.row, CallOutcome::kUnavailable);
    return downstream_.Reset(stream, NGHTTP2_REFUSED_STREAM);
  }
  PeerLink& link = LinkTo(*destination);
  StreamRelay& relay = NewRelay(stream, entry.row);
  if (end == StreamEnd::kEnded) relay.request.End();
  if (*destination == Destination::kGate) {
    relay.arriving.emplace(bed_.options().budget, client_.pid, block);
  }
  const std::int32_t peer_stream =
      link.draining ? -1 : link.session().SubmitRequest(block, end, relay.request, &relay);
  downstream_.AttachRelay(stream, &relay);
  if (peer_stream < 0) {
    // The connection takes no more streams; REFUSED_STREAM tells the client to use another one.
    Finish(relay, CallOutcome::kUnavailable);
    downstream_.Reset(stream, NGHTTP2_REFUSED_STREAM);
    return;
  }
  relay.peer = &link.session();
  relay.peer_stream = peer_stream;
  relay.response.SetSource(link.session(), peer_stream);
  if (link.is_waiting()) {
    const auto timeout = ParseGrpcTimeout(block.Find("grpc-timeout"));
    if (timeout) relay.deadline = bed_.Now() + *timeout;
  }
}

void Tunnel::OnResponseHeaders(StreamRelay& relay, HeaderBlock& block, StreamEnd end) {
  Http2Session& downstream = *relay.downstream;
  if (!relay.response_begun && end == StreamEnd::kOpen && block.Find(":status").starts_with('1')) {
    return downstream.SubmitInterim(relay.downstream_stream, block);
  }
  if (!relay.response_begun) {
    relay.response_begun = true;
    if (end == StreamEnd::kEnded) relay.response.End();
    return downstream.SubmitResponse(relay.downstream_stream, block, end, relay.response);
  }
  if (end == StreamEnd::kOpen) {
    // A third block that does not end the stream: no HTTP response looks like that.
    relay.peer->Reset(relay.peer_stream, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  relay.response.EndWith(std::move(block));
  downstream.Resume(relay.downstream_stream, relay.response);
}

void Tunnel::OnBytes(Http2Session& session, std::int32_t stream, StreamRelay* relay, Slice slice) {
  const bool is_request = &session == &downstream_;
  Http2Session* to = relay == nullptr ? nullptr : is_request ? relay->peer : relay->downstream;
  if (to == nullptr || relay->abandoned) {
    // Nobody waits for these bytes any more; whoever sent them may not know yet.
    session.Consume(stream, slice.size);
    return;
  }
  if (is_request && relay->arriving) {
    if (const auto refusal = relay->arriving->Take(slice.data, slice.size)) {
      session.Consume(stream, slice.size);
      return Fail(*relay, refusal->status, refusal->message);
    }
  }
  StreamPipe& pipe = is_request ? relay->request : relay->response;
  pipe.Append(std::move(slice));
  to->Resume(is_request ? relay->peer_stream : relay->downstream_stream, pipe);
}

void Tunnel::OnEndOfBytes(Http2Session& session, std::int32_t, StreamRelay* relay) {
  if (relay == nullptr) return;
  if (&session == &downstream_) {
    relay->request.End();
    if (relay->peer != nullptr) relay->peer->Resume(relay->peer_stream, relay->request);
  } else if (!relay->abandoned) {
    relay->response.End();
    if (relay->downstream != nullptr) {
      relay->downstream->Resume(relay->downstream_stream, relay->response);
    }
  }
}

void Tunnel::OnStreamClosed(Http2Session& session, std::int32_t, StreamRelay* relay,
                            std::uint32_t error_code) {
  if (relay == nullptr) return;
  if (&session == &downstream_) {
    OnDownstreamClosed(*relay, error_code);
  } else {
    OnPeerClosed(*relay, error_code);
  }
}

void Tunnel::OnDownstreamClosed(StreamRelay& relay, std::uint32_t error_code) {
  relay.downstream = nullptr;
  Finish(relay, relay.response_end_sent ? CallOutcome::kAnswered : CallOutcome::kCancelled);
  DropBody(relay.request);
  DropBody(relay.response);
  if (relay.peer != nullptr) {
    // The client is done with this call, in whichever way; the runtime hears it at once.
    relay.peer->Reset(relay.peer_stream,
                      error_code == NGHTTP2_NO_ERROR ? std::uint32_t{NGHTTP2_CANCEL} : error_code);
  }
  ReleaseIfDone(relay);
}

void Tunnel::OnPeerClosed(StreamRelay& relay, std::uint32_t error_code) {
  relay.peer = nullptr;
  DropBody(relay.request);
  if (relay.downstream != nullptr && !relay.abandoned) {
    if (relay.response.ended()) {
      // The answer is complete and on its way. If the request is not, the client is told to stop
      // sending it (RFC 9113 8.1), but only after the answer.
      relay.late_reset = error_code;
      if (relay.response_end_sent && !relay.request.ended()) {
        relay.downstream->Reset(relay.downstream_stream, error_code);
      }
    } else {
      Finish(relay, CallOutcome::kReset);
      relay.late_reset = error_code;
      relay.reset_after_flush = true;
      if (!std::exchange(has_late_resets, true)) bed_.lists().late_resets.push_back(this);
    }
  }
  ReleaseIfDone(relay);
}

void Tunnel::SendLateResets() {
  // What arrived before the reset has had its chance to leave; nghttp2 would have sent the reset
  // ahead of it.
  for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
    if (!relay->reset_after_flush) continue;
    relay->reset_after_flush = false;
    DropBody(relay->response);
    if (relay->downstream != nullptr) {
      relay->downstream->Reset(relay->downstream_stream, relay->late_reset);
    }
  }
}

void Tunnel::OnEndSent(Http2Session& session, std::int32_t stream, StreamRelay* relay) {
  if (&session != &downstream_) return;
  if (relay != nullptr) {
    relay->response_end_sent = true;
    Finish(*relay, CallOutcome::kAnswered);
    if (relay->peer != nullptr && !relay->abandoned) return;  // the peer may still read
  }
  // The answer is complete and nobody reads the rest of the request (RFC 9113 8.1).
  if (session.IsPeerSending(stream)) {
    session.Reset(stream, relay != nullptr ? relay->late_reset : std::uint32_t{NGHTTP2_NO_ERROR});
  }
}

void Tunnel::OnGoaway(Http2Session& session, std::uint32_t error_code, std::string_view debug) {
  if (&session == &downstream_) return;
  PeerLink& link = LinkOf(session);
  link.draining = true;
  // The gate's connections come and go by themselves; the runtime's intent is the client's to know.
  if (link.destination() == Destination::kGate || goaway_sent_) return;
  goaway_sent_ = true;
  downstream_.SubmitGoaway(error_code, debug);
}

void Tunnel::OnPong(Http2Session& session) {
  // The client has read the shutdown notice: a stream that it opens from now on is one too many.
  if (&session != &downstream_ || goaway_sent_) return;
  goaway_sent_ = true;
  downstream_.SubmitGoaway(NGHTTP2_NO_ERROR, {});
}

void Tunnel::BeginDrain() {
  if (state_ == State::kOpen && !goaway_sent_) downstream_.SubmitShutdownNotice();
}

void Tunnel::EndDrain() {
  if (state_ == State::kOpen) EndCalls("crivet is stopping");
}

bool Tunnel::IsIdle() const { return relays_ == nullptr && !downstream_.HasUnread(); }

void Tunnel::Dismiss(std::string_view why) {
  if (state_ == State::kOver) return;
  EndCalls(why);
  downstream_.Flush();
  downstream_.Close();
  state_ = State::kOver;
  AskToBeReaped();
}

void Tunnel::EndCalls(std::string_view why) {
  if (!goaway_sent_) {
    goaway_sent_ = true;
    downstream_.SubmitGoaway(NGHTTP2_NO_ERROR, {});
  }
  for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
    Fail(*relay, GrpcStatus::kUnavailable, why);
  }
}

void Tunnel::Fail(StreamRelay& relay, GrpcStatus status, std::string_view message) {
  if (relay.downstream == nullptr || relay.abandoned || relay.response.ended()) return;
  relay.abandoned = true;
  Finish(relay, OutcomeOf(status));
  DropBody(relay.request);
  if (!relay.response_begun) {
    relay.response_begun = true;
    relay.response.End();
    relay.downstream->SubmitTrailersOnly(relay.downstream_stream, TrailersOnly(status, message));
  } else {
    DropBody(relay.response);
    relay.response.EndWith(StatusTrailers(status, message));
    relay.downstream->Resume(relay.downstream_stream, relay.response);
  }
  if (relay.peer != nullptr) relay.peer->Reset(relay.peer_stream, NGHTTP2_CANCEL);
}

void Tunnel::Finish(StreamRelay& relay, CallOutcome outcome) {
  if (relay.outcome) return;
  relay.outcome = outcome;
  relay.arriving.reset();
  bed_.counters().Ended(relay.row, outcome);
}

StreamRelay& Tunnel::NewRelay(std::int32_t stream, MethodRow row) {
  StreamRelay& relay = bed_.TakeRelay();
  relay.downstream = &downstream_;
  relay.downstream_stream = stream;
  relay.row = row;
  relay.request.SetSource(downstream_, stream);
  relay.next = relays_;
  if (relays_ != nullptr) relays_->previous = &relay;
  relays_ = &relay;
  return relay;
}

void Tunnel::ReleaseIfDone(StreamRelay& relay) {
  if (relay.downstream != nullptr || relay.peer != nullptr) return;
  if (relay.next != nullptr) relay.next->previous = relay.previous;
  (relay.previous != nullptr ? relay.previous->next : relays_) = relay.next;
  bed_.ReturnRelay(relay);
}

}  // namespace crivet::proxy
