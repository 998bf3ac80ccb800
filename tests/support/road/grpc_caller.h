// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/road/fake_runtime.h"

namespace crivet::proxy::testing {

struct CallOptions {
  Metadata metadata = {};
  std::optional<std::chrono::milliseconds> timeout = {};
  enum class Compression { kOff, kGzip } compression = Compression::kOff;
};

/// GrpcCaller is a client as kubelet is one: a channel on a unix socket. Messages are plain bytes.
class GrpcCaller {
 public:
  struct Answer {
    CallStatus status;
    std::string message;
    Metadata initial;
    Metadata trailing;
  };

  /// One call, message by message. Blocking; one thread, but for Cancel().
  class Stream {
   public:
    class State;
    explicit Stream(std::unique_ptr<State> state);
    Stream(Stream&&) noexcept;
    ~Stream();
    bool Write(const std::string& message);
    bool HalfClose();
    std::optional<std::string> Read();
    void Cancel();
    /// Ends the call: status and metadata.
    Answer Finish();

   private:
    std::unique_ptr<State> state_;
  };

  explicit GrpcCaller(const std::string& path, const std::string& authority = "localhost");
  ~GrpcCaller();

  Answer Unary(const std::string& method, const std::string& message,
               const CallOptions& options = {});
  Stream Open(const std::string& method, const CallOptions& options = {});

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace crivet::proxy::testing
