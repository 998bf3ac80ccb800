// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/owned_fd.h"

namespace crivet::proxy::testing {

/// TestFolder is a folder of its own for one test, gone at its end. Its path is short enough for
/// sockets.
class TestFolder {
 public:
  TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder();

  std::string File(const std::string& name) const { return path_ + "/" + name; }
  void Write(const std::string& name, const std::string& content) const;
  std::string Read(const std::string& name) const;

 private:
  std::string path_;
};

/// DaemonProcess runs the real program and hears what it tells systemd. Nothing here sleeps: every
/// wait ends with a message, or with the end of the process.
class DaemonProcess {
 public:
  struct Options {
    /// A listening socket to hand over as systemd does; -1: none.
    int listening_fd = -1;
    /// Told as WATCHDOG_USEC; zero: no watchdog.
    std::chrono::microseconds watchdog{0};
    /// Given as `--in-place`; empty: beside.
    std::string moved_upstream{};
  };

  /// Starts `crivet serve` with `config.toml` of the folder; stderr goes to `stderr.txt` in it.
  DaemonProcess(const TestFolder& folder, Options options);
  /// Kills what still runs.
  ~DaemonProcess();

  /// Waits for a message with that line, such as `READY=1`; gives the whole message. Fails the test
  /// after half a minute, or when the process ends first.
  std::string WaitFor(const std::string& line);

  void Signal(int signal) const;
  /// Waits for the end: the exit status, or 128 + the signal that ended it.
  int WaitForEnd();

  pid_t pid() const { return pid_; }

 private:
  std::optional<std::string> NextMessage(std::chrono::milliseconds limit) const;

  const TestFolder& folder_;
  OwnedFd notify_;
  pid_t pid_ = -1;
};

/// RunOnce runs the program with arguments to its end.
struct RunResult {
  int exit_status = 0;
  std::string out;
  std::string err;
};
RunResult RunOnce(const TestFolder& folder, const std::vector<std::string>& arguments);

}  // namespace crivet::proxy::testing
