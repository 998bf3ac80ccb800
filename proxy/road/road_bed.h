// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "proxy/owned_fd.h"
#include "proxy/road/byte_chunk.h"
#include "proxy/road/event_source.h"
#include "proxy/road/road_counters.h"
#include "proxy/road/router_options.h"
#include "proxy/road/stream_relay.h"

namespace crivet::proxy {

class Http2Session;
class Tunnel;

/// Http2Setup is what every nghttp2 session is made with. It outlives them.
struct Http2Setup {
  const nghttp2_session_callbacks* callbacks;
  const nghttp2_option* option;
};

/// RoadBed is what the sessions and tunnels of a road lie on: its epoll, its options and counters,
/// the memory for what is received, and the lists of who wants something at the end of a round.
/// It drives nobody: that is the RoadLoop's. One thread, the loop's, but for the counters.
class RoadBed {
 public:
  using Clock = std::chrono::steady_clock;

  RoadBed(RouterOptions options, OwnedFd epoll, Http2Setup http2)
      : options_(std::move(options)), epoll_(std::move(epoll)), http2_(http2) {}
  ~RoadBed();
  RoadBed(const RoadBed&) = delete;
  RoadBed& operator=(const RoadBed&) = delete;

  const RouterOptions& options() const { return options_; }
  Listener& listener() { return options_.listener; }
  const RouterLimits& limits() const { return options_.limits; }
  const MethodTable& methods() const { return *options_.methods; }
  void SetMethods(std::shared_ptr<const MethodTable> methods) {
    options_.methods = std::move(methods);
  }
  const Http2Setup& http2() const { return http2_; }
  RoadCounters& counters() { return counters_; }
  const RoadCounters& counters() const { return counters_; }
  ChunkPool& pool() { return pool_; }
  Clock::time_point Now() const { return Clock::now(); }
  std::int64_t NowMs() const;

  void Watch(int fd, std::uint32_t events, EventSource& source);
  void Rewatch(int fd, std::uint32_t events, EventSource& source);
  void Unwatch(int fd);
  /// Waits for events and begins the next round. Returns those of it.
  std::span<const epoll_event> Wait(std::span<epoll_event> space, int milliseconds);
  /// The number of this round: later events have a higher one.
  std::uint64_t round() const { return round_; }

  /// Where the next bytes are to be received, and how many were.
  std::span<std::uint8_t> ReceiveSpace();
  void Received(std::size_t size) { received_ += size; }
  /// The slice of received bytes at `data`; small ones are copied so that they pin no chunk.
  Slice SliceOf(const std::uint8_t* data, std::size_t size) const;

  StreamRelay& TakeRelay();
  void ReturnRelay(StreamRelay& relay);
  std::size_t relays_in_use() const { return relays_in_use_; }

  // Many calls or connections at once, since memory was last given back.
  void NoteBurst() { had_burst_ = true; }
  void ForgetBurst() { had_burst_ = false; }
  bool had_burst() const { return had_burst_; }

  /// Who wants something of the loop. Each stands on a list once, sees to that itself, and is not
  /// freed while it stands there.
  struct RoundLists {
    std::vector<Http2Session*> to_flush;
    std::vector<Tunnel*> waiting;  ///< for a moment in time
    std::vector<Tunnel*> late_resets;
    std::vector<Tunnel*> to_reap;
  };
  RoundLists& lists() { return lists_; }

 private:
  RouterOptions options_;
  OwnedFd epoll_;
  Http2Setup http2_;
  RoadCounters counters_;
  std::uint64_t round_ = 0;

  ChunkPool pool_;
  ChunkRef receiving_;
  std::size_t received_ = 0;

  StreamRelay* spare_relays_ = nullptr;
  std::size_t spare_relay_count_ = 0;
  std::size_t relays_in_use_ = 0;
  bool had_burst_ = false;

  RoundLists lists_;
};

}  // namespace crivet::proxy
