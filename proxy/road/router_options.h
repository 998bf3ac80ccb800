// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/road/listener.h"
#include "proxy/road/message_budget.h"
#include "proxy/road/method_table.h"
#include "proxy/road/router_limits.h"

namespace crivet::proxy {

/// GateConnector opens the gate's side of a fresh connection for calls of `peer` and returns the
/// router's end of it: a connected stream socket whose ownership passes to the router, or -1 when
/// the gate takes no connections. Called on the router's thread; must not block.
using GateConnector = std::function<int(const PeerCredentials& peer)>;

/// RouterOptions are what a Router is made of.
struct RouterOptions {
  Listener listener;
  std::string upstream;        ///< path of the runtime's socket
  std::string image_upstream;  ///< path of a separate image endpoint; empty: none
  std::shared_ptr<const MethodTable> methods;
  GateConnector connect_gate;  ///< empty: gated calls are UNAVAILABLE
  RouterLimits limits = {};
  /// For gated requests while they arrive; shared with the gate.
  std::shared_ptr<MessageBudget> budget = std::make_shared<MessageBudget>();
};

}  // namespace crivet::proxy
