// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "proxy/road/router.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/raw_http2.h"

namespace crivet::proxy::testing {

/// RoadFixture is a router on its own thread, in a folder of its own, between sockets that a test
/// fills: `runtime_path()` for the upstream, a gate that is another FakeRuntime.
class RoadFixture {
 public:
  explicit RoadFixture(MethodTable::Options methods = {}, RouterLimits limits = {},
                       MessageBudget::Limits messages = {});
  ~RoadFixture();

  std::string path() const { return folder_ + "/crivet.sock"; }
  std::string runtime_path() const { return folder_ + "/runtime.sock"; }

  /// Starts a runtime that listens where the router looks.
  FakeRuntime& StartRuntime();
  void StopRuntime();
  FakeRuntime& runtime() { return *runtime_; }
  FakeRuntime& gate() { return *gate_; }
  /// Kills the gate and puts a fresh one in its place.
  void ReplaceGate();
  Router& router() { return *router_; }
  PeerCredentials last_gate_client() const { return last_gate_client_; }

  /// Listens where the router looks, for a runtime made of raw frames.
  void ListenAsRuntime();
  /// Waits for the router's connection.
  OwnedFd AcceptFromRouter();

  /// How often the router's thread has gone to sleep.
  long Sleeps() const;

  /// Ends the router and waits for its thread.
  void StopRouter(std::chrono::milliseconds drain);

 private:
  std::string folder_;
  std::unique_ptr<FakeRuntime> runtime_;
  std::mutex gate_mutex_;
  std::unique_ptr<FakeRuntime> gate_;
  std::unique_ptr<Listener> raw_listener_;
  std::unique_ptr<Router> router_;
  PeerCredentials last_gate_client_;
  std::atomic<int> thread_id_ = 0;
  std::thread thread_;
};

}  // namespace crivet::proxy::testing
