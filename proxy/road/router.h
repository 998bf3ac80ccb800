// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "proxy/road/method_table.h"
#include "proxy/road/road_counters.h"
#include "proxy/road/router_options.h"
#include "trust/base/result.h"

namespace crivet::proxy {

class RoadLoop;

/// Router forwards HTTP/2 streams between the runtime's clients and the runtime, or the gate, by
/// the method table (proxy/RULES.md#the-road). It looks at `:path` and at nothing else: headers,
/// messages, trailers and status cross as they are. Each downstream connection has an upstream
/// connection of its own, so flow control, GOAWAY and the end of a connection keep their meaning.
///
/// One thread runs it: the one that calls Run(). Stop(), Ping(), SetMethodTable() and Snapshot()
/// may be called from any thread, before, during and after Run().
class Router {
 public:
  using Limits = RouterLimits;
  using Options = RouterOptions;

  /// Fails with kState when the kernel refuses an epoll or event descriptor.
  static trust::Result<std::unique_ptr<Router>> Create(Options options);
  ~Router();

  /// Serves until Stop() has taken effect. Returns with every connection closed.
  void Run();

  /// Begins to stop: nothing is accepted any more, clients are told to open no new streams
  /// (GOAWAY), and calls in flight get up to `drain` to end; the rest end with UNAVAILABLE. Returns
  /// at once; Run() returns when it is done. Called again it can only shorten the drain.
  void Stop(std::chrono::milliseconds drain);

  /// True if the loop answered within `timeout`: what the watchdog asks. False if it does not run.
  bool Ping(std::chrono::milliseconds timeout);

  /// Calls that begin from now on are judged by `methods`.
  void SetMethodTable(std::shared_ptr<const MethodTable> methods);

  RoadSnapshot Snapshot() const;

  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

 private:
  explicit Router(std::unique_ptr<RoadLoop> loop);

  std::unique_ptr<RoadLoop> loop_;
};

}  // namespace crivet::proxy
