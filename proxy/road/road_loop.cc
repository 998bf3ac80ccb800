// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/road_loop.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "proxy/road/http2_session.h"
#include "proxy/road/tunnel.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kEventsPerRound = 64;
constexpr int kAcceptsPerEvent = 16;
// More than these at once is a burst, after which memory is given back.
constexpr std::size_t kBurstConnections = 64;
constexpr auto kAcceptPause = 100ms;
// After the drain: for the last answers to leave.
constexpr auto kClosingTime = 500ms;

}  // namespace

RoadLoop::RoadLoop(RouterOptions options, OwnedFd epoll, OwnedFd wake)
    : bed_(std::move(options), std::move(epoll), {http2_.callbacks(), http2_.option()}),
      wake_(std::move(wake)) {
  bed_.Watch(wake_.get(), EPOLLIN, wake_source_);
  bed_.Watch(bed_.listener().fd(), EPOLLIN, accept_source_);
}

RoadLoop::~RoadLoop() = default;

void RoadLoop::Stop(std::chrono::milliseconds drain) {
  const std::lock_guard lock(mutex_);
  orders_.stop = drain;
  Wake();
}

bool RoadLoop::Ping(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const std::uint64_t asked = ++orders_.pings_asked;
  Wake();
  return ping_answered_.wait_for(lock, timeout, [&] { return pings_answered_ >= asked; });
}

void RoadLoop::SetMethodTable(std::shared_ptr<const MethodTable> methods) {
  const std::lock_guard lock(mutex_);
  orders_.methods = std::move(methods);
  Wake();
}

void RoadLoop::Wake() { ::eventfd_write(wake_.get(), 1); }

void RoadLoop::ObeyOrders() {
  eventfd_t count = 0;
  ::eventfd_read(wake_.get(), &count);
  Orders orders;
  {
    const std::lock_guard lock(mutex_);
    orders.stop = std::exchange(orders_.stop, std::nullopt);
    orders.methods = std::move(orders_.methods);
    pings_answered_ = orders_.pings_asked;
  }
  ping_answered_.notify_all();
  if (orders.methods) bed_.SetMethods(std::move(orders.methods));
  if (orders.stop) BeginStop(*orders.stop);
}

void RoadLoop::Run() {
  while (!IsStopped()) {
    std::array<epoll_event, kEventsPerRound> space;
    for (const epoll_event& event : bed_.Wait(space, MillisecondsToWait())) {
      static_cast<EventSource*>(event.data.ptr)->OnEvents(event.events);
    }
    FlushMarked();
    if (!bed_.lists().late_resets.empty()) SendLateResets();
    RunTimers();
    FlushMarked();
    if (!bed_.lists().to_reap.empty()) Reap();
    if (newcomers_.has_gone()) newcomers_.Reap();
    if (newcomers_.has_spoken()) Admit();
    if (bed_.had_burst() && bed_.relays_in_use() == 0) TrimMemory();
  }
  tunnels_.clear();
}

int RoadLoop::MillisecondsToWait() {
  std::optional<Clock::time_point> wake = accept_again_at_;
  const auto consider = [&wake](Clock::time_point at) { wake = wake ? std::min(*wake, at) : at; };
  std::erase_if(bed_.lists().waiting, [&](Tunnel* tunnel) {
    const auto at = tunnel->NextWake();
    if (at) consider(*at);
    tunnel->is_waiting = at.has_value();
    return !at;
  });
  if (stop_phase_ != StopPhase::kRunning) consider(stop_next_at_);
  if (const auto at = newcomers_.NextWake()) consider(*at);
  if (!wake) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wake - bed_.Now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void RoadLoop::RunTimers() {
  const bool stopping = stop_phase_ != StopPhase::kRunning;
  const bool has_silent = newcomers_.NextWake().has_value();
  const auto& waiting = bed_.lists().waiting;
  if (waiting.empty() && !accept_again_at_ && !has_silent && !stopping) return;
  const Clock::time_point now = bed_.Now();
  if (has_silent) newcomers_.OnTimer(now);
  if (accept_again_at_ && now >= *accept_again_at_) ResumeAccepting();
  // By index: a timer may add a tunnel.
  for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i]->OnTimer(now);
  if (stopping && now >= stop_next_at_ && stop_phase_ == StopPhase::kDraining) {
    stop_phase_ = StopPhase::kClosing;
    stop_next_at_ = now + kClosingTime;
    for (const auto& tunnel : tunnels_) tunnel->EndDrain();
  }
}

void RoadLoop::BeginStop(std::chrono::milliseconds drain) {
  if (stop_phase_ != StopPhase::kRunning) {
    // Asked again: less patience, never more.
    stop_next_at_ = std::min(stop_next_at_, bed_.Now() + drain);
    return;
  }
  stop_phase_ = StopPhase::kDraining;
  stop_next_at_ = bed_.Now() + drain;
  // What is not accepted yet waits in the socket's queue, for whoever inherits it.
  bed_.Unwatch(bed_.listener().fd());
  accept_again_at_.reset();
  newcomers_.DropSilent();
  for (const auto& tunnel : tunnels_) tunnel->BeginDrain();
}

bool RoadLoop::IsStopped() const {
  if (stop_phase_ == StopPhase::kRunning) return false;
  return (tunnels_.empty() && !newcomers_.has_spoken()) ||
         (stop_phase_ == StopPhase::kClosing && bed_.Now() >= stop_next_at_);
}

void RoadLoop::Accept() {
  if (stop_phase_ != StopPhase::kRunning) return;
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    Listener::Accepted accepted;
    switch (bed_.listener().Accept(accepted)) {
      case Listener::AcceptOutcome::kAccepted:
        newcomers_.Add(std::move(accepted));
        break;
      case Listener::AcceptOutcome::kNothing:
        return;
      case Listener::AcceptOutcome::kExhausted:
        // A silent one's descriptor is of more use to whoever comes.
        if (!newcomers_.DropOldestSilent()) return PauseAccepting();
        break;
      case Listener::AcceptOutcome::kFailed:
        return PauseAccepting();
    }
  }
}

// At the end of a round: no event of it is for a tunnel that has to go.
void RoadLoop::Admit() {
  for (auto next = NextToAdmit(); next != newcomers_.waiting().end(); next = NextToAdmit()) {
    auto tunnel = std::make_unique<Tunnel>(bed_, newcomers_.Take(next));
    tunnel->index = tunnels_.size();
    tunnels_.push_back(std::move(tunnel));
    if (tunnels_.size() > kBurstConnections) bed_.NoteBurst();
    if (stop_phase_ != StopPhase::kRunning) tunnels_.back()->BeginDrain();
  }
}

// Makes room where there is none, and tells for whom; the end where everybody has to wait.
Newcomers::Waiting::const_iterator RoadLoop::NextToAdmit() {
  const Newcomers::Waiting& waiting = newcomers_.waiting();
  if (waiting.empty() || tunnels_.size() < bed_.limits().max_connections) return waiting.begin();
  if (Tunnel* const idle = LongestIdle()) {
    Dismiss(*idle, "too many connections: one without calls made room");
    return waiting.begin();
  }
  std::unordered_map<pid_t, std::size_t> held;
  for (const auto& tunnel : tunnels_) ++held[tunnel->client().pid];
  const auto most = std::max_element(held.begin(), held.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  // Who has fewer by two still has no more than the other one afterwards.
  const auto poorer = std::find_if(waiting.begin(), waiting.end(), [&](const auto& one) {
    const auto has = held.find(one.peer.pid);
    return (has == held.end() ? 0 : has->second) + 1 < most->second;
  });
  if (poorer == waiting.end()) return poorer;
  Tunnel* youngest = nullptr;
  for (const auto& tunnel : tunnels_) {
    if (tunnel->client().pid != most->first) continue;
    if (youngest == nullptr || tunnel->last_used() > youngest->last_used()) youngest = tunnel.get();
  }
  Dismiss(*youngest, "too many connections, and most of them are of this process");
  return poorer;
}

// Those that never had a call come first.
Tunnel* RoadLoop::LongestIdle() const {
  Tunnel* found = nullptr;
  const auto rank = [](const Tunnel& tunnel) {
    return std::pair(tunnel.has_had_calls(), tunnel.last_used());
  };
  for (const auto& tunnel : tunnels_) {
    if (tunnel->IsIdle() && (found == nullptr || rank(*tunnel) < rank(*found))) {
      found = tunnel.get();
    }
  }
  return found;
}

void RoadLoop::Dismiss(Tunnel& tunnel, std::string_view why) {
  tunnel.Dismiss(why);
  FlushMarked();
  Reap();
}

// No descriptor is left. The queue keeps who waits; polling it would spin.
void RoadLoop::PauseAccepting() {
  bed_.counters().AcceptPaused();
  accept_again_at_ = bed_.Now() + kAcceptPause;
  bed_.Rewatch(bed_.listener().fd(), 0, accept_source_);
}

void RoadLoop::ResumeAccepting() {
  accept_again_at_.reset();
  bed_.Rewatch(bed_.listener().fd(), EPOLLIN, accept_source_);
}

void RoadLoop::FlushMarked() {
  // A flush may mark others: credit for what it sent.
  auto& marked = bed_.lists().to_flush;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    marked[i]->marked = false;
    marked[i]->Flush();
  }
  marked.clear();
}

void RoadLoop::SendLateResets() {
  for (Tunnel* tunnel : std::exchange(bed_.lists().late_resets, {})) {
    tunnel->has_late_resets = false;
    tunnel->SendLateResets();
  }
}

void RoadLoop::Reap() {
  for (Tunnel* tunnel : std::exchange(bed_.lists().to_reap, {})) {
    tunnel->is_to_reap = false;
    if (tunnel->Reap()) continue;
    std::erase(bed_.lists().waiting, tunnel);
    std::erase(bed_.lists().late_resets, tunnel);
    const std::size_t index = tunnel->index;
    std::swap(tunnels_[index], tunnels_.back());
    tunnels_[index]->index = index;
    tunnels_.pop_back();
    bed_.counters().ConnectionClosed();
    if (accept_again_at_ && stop_phase_ == StopPhase::kRunning) ResumeAccepting();
  }
}

// Small allocations of a burst lie scattered; what is free again goes back to the kernel.
void RoadLoop::TrimMemory() {
  bed_.ForgetBurst();
  if (tunnels_.size() > kBurstConnections) bed_.NoteBurst();
  ::malloc_trim(0);
}

}  // namespace crivet::proxy
