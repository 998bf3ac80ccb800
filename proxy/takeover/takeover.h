// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "proxy/takeover/takeover_plan.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// Takeover puts crivet in the place of containerd's socket and undoes it
/// (proxy/RULES.md#taking-the-sockets-place). Root, on a machine that systemd runs. Blocks; `say`
/// is given one line for each step.
class Takeover {
 public:
  struct Options {
    std::string crivet_command;  ///< absolute path of this program
    std::string crivet_config;
    std::function<void(const std::string& line)> say;
  };

  explicit Takeover(Options options);

  /// Checks, moves containerd, takes the path, verifies with real calls; on any failure everything
  /// is put back and the error says what failed. Containers keep running.
  trust::Result<void> Take();

  /// Undoes Take, also one that was interrupted at any step. Fails only where containerd does not
  /// answer on its own path afterwards.
  trust::Result<void> Release();

  /// Whether the files of a takeover are there.
  static bool IsInPlace();

 private:
  trust::Result<void> CheckPrivileges() const;
  trust::Result<TakeoverPlan> MakePlan() const;
  trust::Result<void> CheckOthers(const std::string& socket_path,
                                  const std::string& upstream) const;
  trust::Result<std::string> Systemctl(const std::vector<std::string>& arguments) const;
  trust::Result<void> PutBack(const std::string& socket_path);

  Options options_;
};

}  // namespace crivet::proxy
