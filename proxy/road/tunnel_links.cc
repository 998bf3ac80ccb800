// SPDX-License-Identifier: Apache-2.0

// The part of Tunnel that opens, waits for and loses connections to the runtime and the gate.

#include <algorithm>
#include <utility>

#include "proxy/road/road_bed.h"
#include "proxy/road/tunnel.h"

namespace crivet::proxy {

PeerLink& Tunnel::LinkTo(Destination destination) {
  for (const auto& link : links_) {
    if (link->destination() != destination || link->ended) continue;
    // A gate connection that takes no more streams is followed by another one.
    if (link->draining && destination == Destination::kGate) continue;
    return *link;
  }
  PeerLink& link = *links_.emplace_back(std::make_unique<PeerLink>(destination, bed_, *this));
  const TimePoint now = bed_.Now();
  link.give_up_at = now + bed_.limits().upstream_patience;
  Connect(link, now);
  return link;
}

PeerLink& Tunnel::LinkOf(const Http2Session& session) {
  const auto at = std::find_if(links_.begin(), links_.end(), [&session](const auto& link) {
    return &link->session() == &session;
  });
  return **at;
}

void Tunnel::Connect(PeerLink& link, TimePoint now) {
  switch (link.TryConnect(client_)) {
    case PeerLink::Attempt::kConnected:
      return;
    case PeerLink::Attempt::kAgain:
      link.retry_at = std::min(now + bed_.limits().upstream_retry, link.give_up_at);
      break;
    case PeerLink::Attempt::kHopeless:
      // Due at once, but not before the call that asked for this link has joined it.
      link.give_up_at = now;
      link.retry_at = now;
      break;
  }
  WaitForTimer();
}

std::optional<Tunnel::TimePoint> Tunnel::NextWake() const {
  std::optional<TimePoint> wake;
  const auto consider = [&wake](TimePoint at) { wake = wake ? std::min(*wake, at) : at; };
  if (state_ == State::kClosing) consider(close_at_);
  for (const auto& link : links_) {
    if (!link->is_waiting()) continue;
    consider(link->retry_at);
    for (const StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
      if (relay->peer == &link->session() && relay->deadline && !relay->abandoned) {
        consider(*relay->deadline);
      }
    }
  }
  return wake;
}

void Tunnel::OnTimer(TimePoint now) {
  if (state_ == State::kClosing && now >= close_at_) {
    downstream_.Close();
    state_ = State::kOver;
    return AskToBeReaped();
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    PeerLink& link = *links_[i];
    if (!link.is_waiting()) continue;
    if (now >= link.retry_at) {
      if (now >= link.give_up_at) {
        FailLink(link);
        continue;
      }
      Connect(link, now);
      if (!link.is_waiting()) continue;
    }
    for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
      if (relay->peer == &link.session() && relay->deadline && now >= *relay->deadline) {
        Fail(*relay, GrpcStatus::kDeadlineExceeded,
             "deadline exceeded while waiting: " + link.Complaint());
      }
    }
  }
}

// Nobody answers there: the calls that waited are told so, and the next one begins anew.
void Tunnel::FailLink(PeerLink& link) {
  const std::string complaint = link.Complaint();
  for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
    if (relay->peer == &link.session()) Fail(*relay, GrpcStatus::kUnavailable, complaint);
  }
  OnLinkEnd(link);
}

void Tunnel::OnSessionEnd(Http2Session& session, EndReason reason) {
  if (reason == EndReason::kMisbehaved) bed_.counters().ConnectionMisbehaved();
  if (&session == &downstream_) {
    state_ = State::kOver;
    return AskToBeReaped();
  }
  PeerLink& link = LinkOf(session);
  if (link.destination() == Destination::kGate) {
    for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
      if (relay->peer == &session) Fail(*relay, GrpcStatus::kUnavailable, link.Complaint());
    }
    return OnLinkEnd(link);
  }
  bool is_used = !link.draining;
  for (StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
    if (relay->peer != &session) continue;
    is_used = true;
    Finish(*relay, CallOutcome::kReset);
  }
  OnLinkEnd(link);
  if (!is_used) return;  // it said GOAWAY, finished its calls and left: so was the client told
  if (link.destination() == Destination::kUpstream) {
    bed_.counters().SetUpstream(UpstreamState::kDown);
  }
  CloseDownstream();
}

// A connection that was up and dies upstream dies downstream, after what it still delivered.
void Tunnel::CloseDownstream() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  close_at_ = bed_.Now() + bed_.limits().linger;
  WaitForTimer();
  bool is_delivering = false;
  for (const StreamRelay* relay = relays_; relay != nullptr; relay = relay->next) {
    is_delivering |= relay->response.ended() && !relay->response_end_sent;
  }
  if (!is_delivering) return downstream_.CloseWhenFlushed();
  // The runtime believes these answers delivered, so they wait for the client's windows. The other
  // calls end as they would with the connection.
  EndCalls("the connection to the container runtime was lost");
}

// Detaches every call from the link; the link itself goes at the end of the round.
void Tunnel::OnLinkEnd(PeerLink& link) {
  link.session().Close();
  link.ended = true;
  has_ended_links_ = true;
  for (StreamRelay* relay = relays_; relay != nullptr;) {
    StreamRelay& current = *std::exchange(relay, relay->next);
    if (!current.response.IsFrom(link.session())) continue;
    current.response.ForgetSource();
    current.peer = nullptr;
    ReleaseIfDone(current);
  }
  AskToBeReaped();
}

bool Tunnel::Reap() {
  if (state_ == State::kOver) return false;
  if (std::exchange(has_ended_links_, false)) {
    std::erase_if(links_, [](const auto& link) { return link->ended; });
  }
  return true;
}

}  // namespace crivet::proxy
