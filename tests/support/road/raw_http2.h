// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/owned_fd.h"

namespace crivet::proxy::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// RawHttp2 is one end of an HTTP/2 connection that shows, and can do, what a gRPC library hides:
/// the frames that arrived, windows that stay shut, floods, resets, GOAWAY. Blocking; one thread.
class RawHttp2 {
 public:
  enum class Role { kClient, kServer };
  enum class Windows { kOpen, kShut };  ///< kShut: received bytes are never credited

  struct Stream {
    std::vector<Fields> header_blocks;
    std::string body;
    bool ended = false;
    bool closed = false;
    std::optional<std::uint32_t> reset;

    /// The value of a field in any block; empty if absent.
    std::string Field(const std::string& name) const;
  };

  RawHttp2(Role role, OwnedFd fd, Windows windows = Windows::kOpen);
  RawHttp2(RawHttp2&&) = delete;
  /// Begins anew on another socket.
  void Restart(Role role, OwnedFd fd, Windows windows = Windows::kOpen);
  ~RawHttp2();

  /// Connects to a unix socket.
  static OwnedFd Connect(const std::string& path);

  /// Opens a stream; `body` is sent and, unless `open`, ended.
  enum class Ending { kEnd, kOpen };
  std::int32_t Request(const Fields& fields, std::string body, Ending ending = Ending::kEnd);
  /// A gRPC-like request for `path`.
  std::int32_t Call(const std::string& path, std::string message = "x",
                    Ending ending = Ending::kEnd);
  /// Answers `stream`: headers, body, trailers. Empty trailers: the stream stays open.
  void Respond(std::int32_t stream, const Fields& headers, std::string body,
               const Fields& trailers);
  /// Informational headers ahead of the answer.
  void Interim(std::int32_t stream, const Fields& fields);
  void RespondTrailersOnly(std::int32_t stream, const Fields& fields);
  void Reset(std::int32_t stream, std::uint32_t code);
  void Ping();
  void Settings();
  void Goaway(std::uint32_t code, const std::string& debug);
  /// Credits every byte received so far, and from now on.
  void OpenWindows();
  void Close() { fd_.Reset(); }

  /// Reads and writes until `done` or the time is up. False if it is up or the peer closed first.
  bool RunUntil(const std::function<bool()>& done,
                std::chrono::milliseconds timeout = std::chrono::seconds(10));
  /// Runs until the peer has closed the connection.
  bool RunUntilClosed(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  /// Writes raw bytes past nghttp2. False when the peer has closed.
  bool WriteRaw(const std::string& bytes);
  /// Submits `frame` over and over, without waiting for answers, until the peer has had enough.
  bool FloodUntilClosed(const std::function<void()>& submit);

  Stream& stream(std::int32_t id) { return streams_[id]; }
  std::map<std::int32_t, Stream>& streams() { return streams_; }
  int pings() const { return pings_; }
  int pongs() const { return pongs_; }
  std::optional<std::uint32_t> goaway() const { return goaway_; }
  const std::string& goaway_debug() const { return goaway_debug_; }
  bool closed() const { return closed_; }
  std::size_t bytes_received() const { return bytes_received_; }
  nghttp2_session* session() { return session_; }

 private:
  struct Body {
    std::string bytes;
    std::size_t sent = 0;
    Ending ending = Ending::kEnd;
    std::optional<Fields> trailers;
  };
  struct Callbacks;

  bool Pump(std::chrono::milliseconds timeout);
  void Flush();
  nghttp2_data_provider BodyOf(std::int32_t stream, Body body);

  OwnedFd fd_;
  nghttp2_session* session_ = nullptr;
  Windows windows_ = Windows::kOpen;
  std::map<std::int32_t, Stream> streams_;
  std::vector<std::unique_ptr<Body>> bodies_;
  std::map<std::int32_t, std::size_t> uncredited_;
  std::string pending_;
  int pings_ = 0;
  int pongs_ = 0;
  std::optional<std::uint32_t> goaway_;
  std::string goaway_debug_;
  bool closed_ = false;
  std::size_t bytes_received_ = 0;
};

}  // namespace crivet::proxy::testing
