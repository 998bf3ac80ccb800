// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "proxy/daemon/last_config.h"
#include "trust/base/result.h"

namespace crivet::proxy {

class DaemonParts;

/// Daemon is `crivet serve`: it makes the parts, wires them, and acts on signals.
///
///   SIGTERM, SIGINT  stop: calls in flight get `drain`; a second one ends at once
///   SIGHUP           take the configuration whole, or keep the old one whole and say which
///
/// systemd is told READY, RELOADING, STOPPING, and WATCHDOG only after the road and the gate have
/// answered. One at a time in a process, on the main thread, before any other thread exists.
class Daemon {
 public:
  /// Listens (where systemd or the configuration says), so that nobody is refused from here on.
  /// `start` was read for `place`, and so is every later one. In place of the runtime's socket
  /// only systemd can say where that is. kState where a part cannot be made.
  static trust::Result<std::unique_ptr<Daemon>> Create(StartConfig start, std::string config_file,
                                                       Place place);
  ~Daemon();

  /// Serves until told to stop.
  void Run();

 private:
  explicit Daemon(std::unique_ptr<DaemonParts> parts);
  std::unique_ptr<DaemonParts> parts_;
};

}  // namespace crivet::proxy
