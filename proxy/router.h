#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "proxy/listener.h"
#include "proxy/method_table.h"
#include "proxy/road_counters.h"
#include "trust/core/result.h"

namespace crivet::proxy {

/// GateConnector opens the gate's side of a fresh connection for calls of `peer` and returns the
/// router's end of it: a connected stream socket whose ownership passes to the router, or -1 when
/// the gate takes no connections. Called on the router's thread; must not block.
using GateConnector = std::function<int(const PeerCredentials& peer)>;

/// Router forwards HTTP/2 streams between the runtime's clients and the runtime, or the gate, by
/// the method table (FORWARDER 2 and 3). It looks at `:path` and at nothing else: headers,
/// messages, trailers and status cross as they are. Each downstream connection has an upstream
/// connection of its own, so flow control, GOAWAY and the end of a connection keep their meaning.
///
/// One thread runs it: the one that calls Run(). Stop(), Ping(), SetMethodTable() and Snapshot()
/// may be called from any thread, before, during and after Run().
class Router {
 public:
  struct Limits {
    std::size_t max_connections = 1024;
    /// Per downstream connection; more wait at the client.
    std::uint32_t max_concurrent_streams = 10'000;
    /// Name and value bytes of one header block: grpc-message carries runtime errors of many KB.
    std::size_t max_header_bytes = 256 * 1024;
    /// How long a call waits for a runtime that cannot be reached before it is UNAVAILABLE.
    std::chrono::milliseconds upstream_patience{500};
    std::chrono::milliseconds upstream_retry{50};
  };

  struct Options {
    Listener listener;
    std::string upstream;        ///< path of the runtime's socket
    std::string image_upstream;  ///< path of a separate image endpoint; empty: none
    std::shared_ptr<const MethodTable> methods;
    GateConnector connect_gate;  ///< empty: gated calls are UNAVAILABLE
    Limits limits = {};
  };

  /// Fails with kState when the kernel refuses an epoll or event descriptor.
  static trust::Result<std::unique_ptr<Router>> Create(Options options);
  ~Router();

  /// Serves until Stop() has taken effect. Returns with every connection closed.
  void Run();

  /// Begins to stop: nothing is accepted any more, clients are told to open no new streams
  /// (GOAWAY), and calls in flight get up to `drain` to end; the rest end with UNAVAILABLE. Returns
  /// at once; Run() returns when it is done.
  void Stop(std::chrono::milliseconds drain);

  /// True if the loop answered within `timeout`: what the watchdog asks. False if it does not run.
  bool Ping(std::chrono::milliseconds timeout);

  /// Calls that begin from now on are judged by `methods`.
  void SetMethodTable(std::shared_ptr<const MethodTable> methods);

  RoadSnapshot Snapshot() const;

  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

 private:
  class Loop;
  explicit Router(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace crivet::proxy
