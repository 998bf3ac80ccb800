// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/owned_fd.h"

namespace crivet::proxy::testing {

/// Status as it crosses the wire, without gRPC's headers.
struct CallStatus {
  int code = 0;
  std::string message;
  std::string details;
  friend bool operator==(const CallStatus&, const CallStatus&) = default;
};

using Metadata = std::multimap<std::string, std::string>;

/// FakeCall is a call as the server sees it. Blocking; used by one script on its own thread.
class FakeCall {
 public:
  virtual ~FakeCall() = default;
  virtual const std::string& method() const = 0;
  virtual Metadata request_metadata() const = 0;
  virtual std::chrono::system_clock::time_point deadline() const = 0;
  virtual void AddInitialMetadata(const std::string& name, const std::string& value) = 0;
  virtual void AddTrailingMetadata(const std::string& name, const std::string& value) = 0;
  virtual void Compress() = 0;
  virtual void SendHeaders() = 0;
  /// The next message; nothing when the client has half-closed or gone.
  virtual std::optional<std::string> Read() = 0;
  virtual bool Write(const std::string& message) = 0;
  /// True once the client has cancelled, or its deadline has passed.
  virtual bool WaitCancelled(std::chrono::milliseconds timeout) = 0;
};

/// FakeRuntime is a gRPC server with behaviour: for each method a script that reads, writes and
/// returns the status. It knows no message types. A method without a script echoes its messages.
class FakeRuntime {
 public:
  using Script = std::function<CallStatus(FakeCall&)>;

  explicit FakeRuntime(std::string path);
  ~FakeRuntime();

  void On(const std::string& method, Script script);
  /// Serves a connected socket, as the gate does; the caller keeps the other end.
  void Adopt(OwnedFd fd);
  /// Stops listening and ends what is open: at once, as a killed process would.
  void Stop();
  /// Says GOAWAY and waits for what is open.
  void StopGracefully(std::chrono::milliseconds patience);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace crivet::proxy::testing
