// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxy/config/config.h"
#include "proxy/gate/decider.h"
#include "proxy/road/listener.h"
#include "proxy/road/message_budget.h"
#include "proxy/runtime/pull_tickets.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/metrics.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// Gate answers the calls that can bring an image to life: PullImage, ImageStatus, CreateContainer,
/// StartContainer and RunPodSandbox (proxy/RULES.md#what-happens-to-each-call); where the runtime
/// has no images API of its own also ListImages and RemoveImage. It takes connections from the
/// router, never from a socket of its own. Thread-safe.
class Gate {
 public:
  struct Options {
    std::string upstream;
    std::string image_upstream;  ///< empty: as upstream
    std::string state_dir;       ///< for the names that it keeps where the runtime cannot
    Config::Gate gate;
    /// For requests while they are answered; shared with the road.
    std::shared_ptr<MessageBudget> budget = std::make_shared<MessageBudget>();
    /// Pulls that it has let through; shared with whoever judges at the runtime's own door.
    std::shared_ptr<PullTickets> tickets = std::make_shared<PullTickets>();
    /// These outlive the gate.
    Decider* decider = nullptr;
    AuditLog* audit = nullptr;
    Metrics* metrics = nullptr;
    /// One line for people; any thread.
    std::function<void(const std::string& line)> log = [](const std::string&) {};
    /// The runtime turned out to have no images API: ListImages and RemoveImage must come here from
    /// now on. Called at most once, on any thread.
    std::function<void()> on_translation = [] {};
  };

  /// kState where the server cannot be made.
  static trust::Result<std::unique_ptr<Gate>> Create(Options options);

  /// Ends every call.
  ~Gate();

  /// Opens a connection for calls of `peer` and returns the router's end of it, which the caller
  /// owns; -1 when there is none to be had. Does not block.
  int Connect(const PeerCredentials& peer);

  /// Takes changed settings; calls that run keep the old ones.
  void Reconfigure(Config::Gate gate);

  /// No new calls; those that run get `drain` to end, then they are cancelled. Returns when all
  /// have ended; a pulled image is still given its tag.
  void Shutdown(std::chrono::milliseconds drain);

 private:
  class Server;
  explicit Gate(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace crivet::proxy
