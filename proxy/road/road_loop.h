#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/owned_fd.h"
#include "proxy/road/byte_chunk.h"
#include "proxy/road/event_source.h"
#include "proxy/road/http2_callbacks.h"
#include "proxy/road/newcomers.h"
#include "proxy/road/road_counters.h"
#include "proxy/road/router_options.h"
#include "proxy/road/stream_relay.h"

namespace crivet::proxy {

class Http2Session;
class Tunnel;

/// RoadLoop is the router's one thread: epoll, the tunnels, and what they share. A round handles
/// every ready socket, then writes once for each session that has something to say: under load one
/// write carries many calls. It sleeps without a timer unless a call waits for its runtime, a
/// connection is being closed or silent, or accepting is paused.
class RoadLoop {
 public:
  using Clock = std::chrono::steady_clock;

  /// `epoll` and `wake` are an epoll and an event descriptor.
  RoadLoop(RouterOptions options, OwnedFd epoll, OwnedFd wake);
  ~RoadLoop();
  RoadLoop(const RoadLoop&) = delete;
  RoadLoop& operator=(const RoadLoop&) = delete;

  // From any thread.
  void Stop(std::chrono::milliseconds drain);
  bool Ping(std::chrono::milliseconds timeout);
  void SetMethodTable(std::shared_ptr<const MethodTable> methods);

  void Run();

  // For tunnels and sessions, on the loop's thread.
  const RouterOptions& options() const { return options_; }
  const RouterLimits& limits() const { return options_.limits; }
  const MethodTable& methods() const { return *options_.methods; }
  const Http2Callbacks& http2() const { return http2_; }
  RoadCounters& counters() { return counters_; }
  const RoadCounters& counters() const { return counters_; }
  ChunkPool& pool() { return pool_; }
  Clock::time_point Now() const { return Clock::now(); }
  std::int64_t NowMs() const;

  void Watch(int fd, std::uint32_t events, EventSource& source);
  void Rewatch(int fd, std::uint32_t events, EventSource& source);
  void Unwatch(int fd);
  /// The number of this round: later events have a higher one.
  std::uint64_t round() const { return round_; }

  /// Where the next bytes are to be received, and how many were.
  std::span<std::uint8_t> ReceiveSpace();
  void Received(std::size_t size) { received_ += size; }
  /// The slice of received bytes at `data`; small ones are copied so that they pin no chunk.
  Slice SliceOf(const std::uint8_t* data, std::size_t size) const;

  /// Has `session` flushed at the end of the round.
  void Mark(Http2Session& session);
  void Unmark(Http2Session& session);
  void AddWaiting(Tunnel& tunnel);
  void AddLateResets(Tunnel& tunnel);
  void AddToReap(Tunnel& tunnel);

  StreamRelay& TakeRelay();
  void ReturnRelay(StreamRelay& relay);

 private:
  class AcceptSource final : public EventSource {
   public:
    explicit AcceptSource(RoadLoop& loop) : loop_(loop) {}
    void OnEvents(std::uint32_t) override { loop_.Accept(); }

   private:
    RoadLoop& loop_;
  };
  class WakeSource final : public EventSource {
   public:
    explicit WakeSource(RoadLoop& loop) : loop_(loop) {}
    void OnEvents(std::uint32_t) override { loop_.ObeyOrders(); }

   private:
    RoadLoop& loop_;
  };

  // What other threads ask of the loop.
  struct Orders {
    std::optional<std::chrono::milliseconds> stop;
    std::shared_ptr<const MethodTable> methods;
    std::uint64_t pings_asked = 0;
  };

  enum class StopPhase : std::uint8_t { kRunning, kDraining, kClosing };

  void Wake();
  void ObeyOrders();
  void Accept();
  void Admit();
  Newcomers::Waiting::const_iterator NextToAdmit();
  Tunnel* LongestIdle() const;
  void Dismiss(Tunnel& tunnel, std::string_view why);
  void PauseAccepting();
  void ResumeAccepting();
  int MillisecondsToWait();
  void FlushMarked();
  void SendLateResets();
  void RunTimers();
  void Reap();
  void TrimMemory();
  void BeginStop(std::chrono::milliseconds drain);
  bool IsStopped() const;

  RouterOptions options_;
  const Http2Callbacks http2_;
  RoadCounters counters_;
  OwnedFd epoll_;
  OwnedFd wake_;
  AcceptSource accept_source_{*this};
  WakeSource wake_source_{*this};

  ChunkPool pool_;
  ChunkRef receiving_;
  std::size_t received_ = 0;

  Newcomers newcomers_{*this};
  std::vector<std::unique_ptr<Tunnel>> tunnels_;
  std::vector<Http2Session*> marked_;
  std::vector<Tunnel*> waiting_;
  std::vector<Tunnel*> late_resets_;
  std::vector<Tunnel*> to_reap_;
  std::uint64_t round_ = 0;
  StreamRelay* spare_relays_ = nullptr;
  std::size_t spare_relay_count_ = 0;
  std::size_t relays_in_use_ = 0;
  bool had_burst_ = false;  // many calls or connections since memory was last given back

  std::optional<Clock::time_point> accept_again_at_;  // set while accepting is paused
  StopPhase stop_phase_ = StopPhase::kRunning;
  Clock::time_point stop_next_at_;

  std::mutex mutex_;
  std::condition_variable ping_answered_;
  Orders orders_;
  std::uint64_t pings_answered_ = 0;
};

}  // namespace crivet::proxy
