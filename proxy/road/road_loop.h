// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/owned_fd.h"
#include "proxy/road/event_source.h"
#include "proxy/road/http2_callbacks.h"
#include "proxy/road/newcomers.h"
#include "proxy/road/road_bed.h"

namespace crivet::proxy {

class Tunnel;

/// RoadLoop is the router's one thread: the tunnels, and the rounds in which they have their turn.
/// A round handles every ready socket, then writes once for each session that has something to say:
/// under load one write carries many calls. It sleeps without a timer unless a call waits for its
/// runtime, a connection is being closed or silent, or accepting is paused.
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

  const RoadCounters& counters() const { return bed_.counters(); }

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

  const Http2Callbacks http2_;
  RoadBed bed_;
  OwnedFd wake_;
  AcceptSource accept_source_{*this};
  WakeSource wake_source_{*this};

  Newcomers newcomers_{bed_};
  std::vector<std::unique_ptr<Tunnel>> tunnels_;

  std::optional<Clock::time_point> accept_again_at_;  // set while accepting is paused
  StopPhase stop_phase_ = StopPhase::kRunning;
  Clock::time_point stop_next_at_;

  std::mutex mutex_;
  std::condition_variable ping_answered_;
  Orders orders_;
  std::uint64_t pings_answered_ = 0;
};

}  // namespace crivet::proxy
