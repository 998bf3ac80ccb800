// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace crivet::proxy {

/// GateProbe asks whether the gate still answers, over a connection of its own, as the router would
/// reach it: what the watchdog rests on. Used by one thread at a time.
class GateProbe {
 public:
  /// `connect` gives a connected socket that the probe owns, or -1.
  explicit GateProbe(std::function<int()> connect);
  ~GateProbe();

  /// True if the gate's server answered within `timeout`. It is asked for a method that it does not
  /// have: no rule, runtime or file is touched by that.
  bool Answers(std::chrono::milliseconds timeout);

 private:
  class Channel;
  std::function<int()> connect_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace crivet::proxy
