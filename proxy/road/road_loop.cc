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
// Below this a read would bring too little; a fresh chunk is taken.
constexpr std::size_t kLeastReceiveSpace = std::size_t{64} * 1024;
// A received slice below this is copied: it would pin a chunk many times its size.
constexpr std::size_t kCopySliceBelow = std::size_t{4} * 1024;
constexpr std::size_t kSpareRelays = 128;
// More than these at once is a burst, after which memory is given back.
constexpr std::size_t kBurstCalls = 256;
constexpr std::size_t kBurstConnections = 64;
constexpr auto kAcceptPause = 100ms;
// After the drain: for the last answers to leave.
constexpr auto kClosingTime = 500ms;

}  // namespace

RoadLoop::RoadLoop(RouterOptions options, OwnedFd epoll, OwnedFd wake)
    : options_(std::move(options)), epoll_(std::move(epoll)), wake_(std::move(wake)) {
  Watch(wake_.get(), EPOLLIN, wake_source_);
  Watch(options_.listener.fd(), EPOLLIN, accept_source_);
}

RoadLoop::~RoadLoop() {
  tunnels_.clear();
  while (spare_relays_ != nullptr) delete std::exchange(spare_relays_, spare_relays_->next);
}

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
  if (orders.methods) options_.methods = std::move(orders.methods);
  if (orders.stop) BeginStop(*orders.stop);
}

void RoadLoop::Run() {
  while (!IsStopped()) {
    std::array<epoll_event, kEventsPerRound> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   MillisecondsToWait());
    ++round_;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      static_cast<EventSource*>(event.data.ptr)->OnEvents(event.events);
    }
    FlushMarked();
    if (!late_resets_.empty()) SendLateResets();
    RunTimers();
    FlushMarked();
    if (!to_reap_.empty()) Reap();
    if (newcomers_.has_gone()) newcomers_.Reap();
    if (newcomers_.has_spoken()) Admit();
    if (had_burst_ && relays_in_use_ == 0) TrimMemory();
  }
  tunnels_.clear();
  marked_.clear();
}

std::int64_t RoadLoop::NowMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Now().time_since_epoch()).count();
}

int RoadLoop::MillisecondsToWait() {
  std::optional<Clock::time_point> wake = accept_again_at_;
  const auto consider = [&wake](Clock::time_point at) { wake = wake ? std::min(*wake, at) : at; };
  std::erase_if(waiting_, [&](Tunnel* tunnel) {
    const auto at = tunnel->NextWake();
    if (at) consider(*at);
    tunnel->is_waiting = at.has_value();
    return !at;
  });
  if (stop_phase_ != StopPhase::kRunning) consider(stop_next_at_);
  if (const auto at = newcomers_.NextWake()) consider(*at);
  if (!wake) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wake - Now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void RoadLoop::RunTimers() {
  const bool stopping = stop_phase_ != StopPhase::kRunning;
  const bool has_silent = newcomers_.NextWake().has_value();
  if (waiting_.empty() && !accept_again_at_ && !has_silent && !stopping) return;
  const Clock::time_point now = Now();
  if (has_silent) newcomers_.OnTimer(now);
  if (accept_again_at_ && now >= *accept_again_at_) ResumeAccepting();
  // By index: a timer may add a tunnel.
  for (std::size_t i = 0; i < waiting_.size(); ++i) waiting_[i]->OnTimer(now);
  if (stopping && now >= stop_next_at_ && stop_phase_ == StopPhase::kDraining) {
    stop_phase_ = StopPhase::kClosing;
    stop_next_at_ = now + kClosingTime;
    for (const auto& tunnel : tunnels_) tunnel->EndDrain();
  }
}

void RoadLoop::BeginStop(std::chrono::milliseconds drain) {
  if (stop_phase_ == StopPhase::kDraining) stop_next_at_ = std::min(stop_next_at_, Now() + drain);
  if (stop_phase_ != StopPhase::kRunning) {
    // Asked again: less patience, never more.
    stop_next_at_ = std::min(stop_next_at_, Now() + drain);
    return;
  }
  stop_phase_ = StopPhase::kDraining;
  stop_next_at_ = Now() + drain;
  // What is not accepted yet waits in the socket's queue, for whoever inherits it.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, options_.listener.fd(), nullptr);
  accept_again_at_.reset();
  newcomers_.DropSilent();
  for (const auto& tunnel : tunnels_) tunnel->BeginDrain();
}

bool RoadLoop::IsStopped() const {
  if (stop_phase_ == StopPhase::kRunning) return false;
  return (tunnels_.empty() && !newcomers_.has_spoken()) ||
         (stop_phase_ == StopPhase::kClosing && Now() >= stop_next_at_);
}

void RoadLoop::Watch(int fd, std::uint32_t events, EventSource& source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &source;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void RoadLoop::Rewatch(int fd, std::uint32_t events, EventSource& source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &source;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void RoadLoop::Unwatch(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void RoadLoop::Accept() {
  if (stop_phase_ != StopPhase::kRunning) return;
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    Listener::Accepted accepted;
    switch (options_.listener.Accept(accepted)) {
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
    auto tunnel = std::make_unique<Tunnel>(*this, newcomers_.Take(next));
    tunnel->index = tunnels_.size();
    tunnels_.push_back(std::move(tunnel));
    if (tunnels_.size() > kBurstConnections) had_burst_ = true;
    if (stop_phase_ != StopPhase::kRunning) tunnels_.back()->BeginDrain();
  }
}

// Makes room where there is none, and tells for whom; the end where everybody has to wait.
Newcomers::Waiting::const_iterator RoadLoop::NextToAdmit() {
  const Newcomers::Waiting& waiting = newcomers_.waiting();
  if (waiting.empty() || tunnels_.size() < limits().max_connections) return waiting.begin();
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
  counters_.AcceptPaused();
  accept_again_at_ = Now() + kAcceptPause;
  Rewatch(options_.listener.fd(), 0, accept_source_);
}

void RoadLoop::ResumeAccepting() {
  accept_again_at_.reset();
  Rewatch(options_.listener.fd(), EPOLLIN, accept_source_);
}

std::span<std::uint8_t> RoadLoop::ReceiveSpace() {
  if (receiving_ && !receiving_.IsShared()) received_ = 0;
  if (!receiving_ || receiving_->capacity - received_ < kLeastReceiveSpace) {
    receiving_ = ChunkRef();
    receiving_ = pool_.Take();
    received_ = 0;
  }
  return {receiving_->bytes() + received_, receiving_->capacity - received_};
}

Slice RoadLoop::SliceOf(const std::uint8_t* data, std::size_t size) const {
  if (size < kCopySliceBelow) return CopySlice(data, size);
  return {receiving_, data, size};
}

void RoadLoop::Mark(Http2Session& session) {
  session.marked = true;
  marked_.push_back(&session);
}

void RoadLoop::Unmark(Http2Session& session) {
  std::erase(marked_, &session);
  session.marked = false;
}

void RoadLoop::FlushMarked() {
  // A flush may mark others: credit for what it sent.
  for (std::size_t i = 0; i < marked_.size(); ++i) {
    marked_[i]->marked = false;
    marked_[i]->Flush();
  }
  marked_.clear();
}

void RoadLoop::AddWaiting(Tunnel& tunnel) {
  if (std::exchange(tunnel.is_waiting, true)) return;
  waiting_.push_back(&tunnel);
}

void RoadLoop::AddLateResets(Tunnel& tunnel) {
  if (std::exchange(tunnel.has_late_resets, true)) return;
  late_resets_.push_back(&tunnel);
}

void RoadLoop::AddToReap(Tunnel& tunnel) {
  if (std::exchange(tunnel.is_to_reap, true)) return;
  to_reap_.push_back(&tunnel);
}

void RoadLoop::SendLateResets() {
  for (Tunnel* tunnel : std::exchange(late_resets_, {})) {
    tunnel->has_late_resets = false;
    tunnel->SendLateResets();
  }
}

void RoadLoop::Reap() {
  for (Tunnel* tunnel : std::exchange(to_reap_, {})) {
    tunnel->is_to_reap = false;
    if (tunnel->Reap()) continue;
    std::erase(waiting_, tunnel);
    std::erase(late_resets_, tunnel);
    const std::size_t index = tunnel->index;
    std::swap(tunnels_[index], tunnels_.back());
    tunnels_[index]->index = index;
    tunnels_.pop_back();
    counters_.ConnectionClosed();
    if (accept_again_at_ && stop_phase_ == StopPhase::kRunning) ResumeAccepting();
  }
}

// Small allocations of a burst lie scattered; what is free again goes back to the kernel.
void RoadLoop::TrimMemory() {
  had_burst_ = tunnels_.size() > kBurstConnections;
  ::malloc_trim(0);
}

StreamRelay& RoadLoop::TakeRelay() {
  if (++relays_in_use_ > kBurstCalls) had_burst_ = true;
  if (spare_relays_ == nullptr) return *new StreamRelay();
  StreamRelay& relay = *std::exchange(spare_relays_, spare_relays_->next);
  --spare_relay_count_;
  relay.Reset();
  return relay;
}

void RoadLoop::ReturnRelay(StreamRelay& relay) {
  --relays_in_use_;
  if (spare_relay_count_ >= kSpareRelays) {
    delete &relay;
    return;
  }
  relay.Reset();
  relay.next = spare_relays_;
  spare_relays_ = &relay;
  ++spare_relay_count_;
}

}  // namespace crivet::proxy
