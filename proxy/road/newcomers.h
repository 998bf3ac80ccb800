// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>

#include "proxy/road/event_source.h"
#include "proxy/road/listener.h"

namespace crivet::proxy {

class RoadBed;

/// Newcomers are accepted connections that have no tunnel yet. One that is silent costs a
/// descriptor and nothing else; it has spoken once the whole HTTP/2 preface is there to be read.
/// The silent go when their patience has ended, or when there are too many of them, the oldest
/// first: whoever speaks at once, as every client does, loses its place to nobody. One thread, the
/// loop's.
class Newcomers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Newcomers(RoadBed& bed) : bed_(bed) {}
  Newcomers(const Newcomers&) = delete;
  Newcomers& operator=(const Newcomers&) = delete;

  void Add(Listener::Accepted accepted);

  bool has_spoken() const { return !spoken_.empty(); }
  /// Whoever has spoken and waits for a tunnel, in the order in which they spoke.
  using Waiting = std::list<Listener::Accepted>;
  const Waiting& waiting() const { return spoken_; }
  Listener::Accepted Take(Waiting::const_iterator waiting);

  /// Lets the oldest silent one go, to have its descriptor. False where all have spoken.
  bool DropOldestSilent();

  /// When a silent one's patience ends; nothing where none is silent.
  std::optional<TimePoint> NextWake() const;
  void OnTimer(TimePoint now);

  /// Lets everybody go who has not spoken by now.
  void DropSilent();

  /// Frees what has gone. Not while events are being handled: one may be for it.
  void Reap() { gone_.clear(); }
  bool has_gone() const { return !gone_.empty(); }

 private:
  class Silent final : public EventSource {
   public:
    Silent(Newcomers& owner, Listener::Accepted who, TimePoint until)
        : accepted(std::move(who)), patience_until(until), owner_(owner) {}
    void OnEvents(std::uint32_t) override { owner_.Look(self); }

    Listener::Accepted accepted;
    TimePoint patience_until;
    std::list<Silent>::iterator self;

   private:
    Newcomers& owner_;
  };
  enum class Speech : std::uint8_t { kSilent, kHttp2, kOver, kNonsense };
  enum class Parting : std::uint8_t { kByItself, kForced };

  static Speech Listen(int fd);
  /// True where it is silent still.
  bool Look(std::list<Silent>::iterator newcomer);
  void Drop(std::list<Silent>::iterator newcomer, Parting parting);
  void MakePlace();

  RoadBed& bed_;
  std::list<Silent> silent_;  // the oldest first
  std::list<Silent> gone_;    // events of this round may still point to them
  Waiting spoken_;
};

}  // namespace crivet::proxy
