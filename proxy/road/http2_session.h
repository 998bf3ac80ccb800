// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/owned_fd.h"
#include "proxy/road/event_source.h"
#include "proxy/road/header_block.h"
#include "proxy/road/output_queue.h"
#include "proxy/road/stream_pipe.h"

namespace crivet::proxy {

class Http2Session;
class RoadBed;
struct StreamRelay;

enum class StreamEnd : std::uint8_t { kOpen, kEnded };

/// SessionOwner is told what a session receives. Every stream is passed with the relay that was
/// attached to it, or null. Calls into other sessions, and to Submit… of the same one, are allowed.
class SessionOwner {
 public:
  enum class EndReason : std::uint8_t {
    kFinished,    ///< both sides said goodbye, nothing is left to read or write
    kClosed,      ///< the peer closed the connection, or it broke
    kMisbehaved,  ///< the peer broke the protocol or a limit
  };

  virtual void OnHeaders(Http2Session& session, std::int32_t stream, StreamRelay* relay,
                         HeaderBlock& block, StreamEnd end) = 0;
  virtual void OnBytes(Http2Session& session, std::int32_t stream, StreamRelay* relay,
                       Slice slice) = 0;
  /// END_STREAM on a DATA frame.
  virtual void OnEndOfBytes(Http2Session& session, std::int32_t stream, StreamRelay* relay) = 0;
  /// The stream is gone on this session: ended both ways, or reset by either side.
  virtual void OnStreamClosed(Http2Session& session, std::int32_t stream, StreamRelay* relay,
                              std::uint32_t error_code) = 0;
  /// This session has sent END_STREAM.
  virtual void OnEndSent(Http2Session& session, std::int32_t stream, StreamRelay* relay) = 0;
  virtual void OnGoaway(Http2Session& session, std::uint32_t error_code,
                        std::string_view debug) = 0;
  virtual void OnPong(Http2Session& session) = 0;
  /// The connection is of no more use. It stays allocated until the owner lets go of it, outside
  /// of any callback.
  virtual void OnSessionEnd(Http2Session& session, EndReason reason) = 0;

 protected:
  ~SessionOwner() = default;
};

/// Http2Session is HTTP/2 on one socket: nghttp2 for the protocol, a queue for what is to be
/// written. It answers SETTINGS and PING, keeps windows, and judges no gRPC header. Owned by a
/// Tunnel, driven by the RoadLoop; one thread.
class Http2Session final : public EventSource {
 public:
  enum class Role : std::uint8_t { kServer, kClient };

  Http2Session(Role role, RoadBed& bed, SessionOwner& owner);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// Gives the session its socket. What was submitted before is written now.
  void Attach(OwnedFd fd);
  bool is_attached() const { return static_cast<bool>(fd_); }

  /// Opens a stream and attaches `relay` to it. The body follows from `body`, unless `end`. Returns
  /// the stream, or a negative value when this connection takes no more.
  std::int32_t SubmitRequest(const HeaderBlock& block, StreamEnd end, StreamPipe& body,
                             StreamRelay* relay);
  void SubmitResponse(std::int32_t stream, const HeaderBlock& block, StreamEnd end,
                      StreamPipe& body);
  /// A complete answer of crivet's own.
  void SubmitTrailersOnly(std::int32_t stream, const HeaderBlock& block);
  /// Informational headers (1xx) ahead of a response.
  void SubmitInterim(std::int32_t stream, const HeaderBlock& block);
  void AttachRelay(std::int32_t stream, StreamRelay* relay);
  /// `pipe`, a body of `stream`, has something to send again.
  void Resume(std::int32_t stream, StreamPipe& pipe);
  /// Note that nghttp2 drops what is submitted for the stream and not sent yet.
  void Reset(std::int32_t stream, std::uint32_t error_code);
  /// True while the peer may still send on `stream`.
  bool IsPeerSending(std::int32_t stream) const;

  /// Whether bytes of the peer's wait in the socket.
  bool HasUnread() const;

  /// Lets the peer send `size` more bytes on the stream and on the connection.
  void Consume(std::int32_t stream, std::size_t size);
  /// The same for the connection alone; the stream is over.
  void ConsumeConnection(std::size_t size);

  /// Announces that no new streams will be taken, and asks for a PONG to learn when that is known.
  void SubmitShutdownNotice();
  void SubmitGoaway(std::uint32_t error_code, std::string_view debug);

  /// Writes what can be written. Called by the loop once a round for each marked session.
  void Flush();
  /// Ends the session as soon as what is queued has been written; reads nothing more.
  void CloseWhenFlushed();
  /// Closes the socket now. No more calls to the owner follow.
  void Close();

  void OnEvents(std::uint32_t events) override;

  /// True while this session stands on the loop's list of those to flush.
  bool marked = false;

 private:
  friend class Http2Callbacks;
  enum class Writability : std::uint8_t { kIgnored, kWatched };

  void Mark();
  void Receive();
  bool Fill();
  bool IsOutputFull() const;
  void StopWriting();
  void WatchWritable(Writability wanted);
  void Rewatch();
  void End(SessionOwner::EndReason reason);
  bool SpendOnNoise();

  struct SessionDeleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  RoadBed& bed_;
  SessionOwner& owner_;
  OwnedFd fd_;
  OutputQueue output_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  HeaderBlock received_;  // the block that is being received
  bool header_overflow_ = false;
  std::int32_t unsent_stream_ = 0;  // whose request nghttp2 gave up before it left
  Writability writability_ = Writability::kIgnored;
  bool closing_ = false;
  bool cannot_write_ = false;
  bool ended_ = false;
  bool sent_goaway_ = false;     // of our own accord
  bool broke_protocol_ = false;  // nghttp2 sent GOAWAY because of what the peer did
  // Frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA) since `noise_since_ms_`.
  std::uint32_t noise_ = 0;
  std::int64_t noise_since_ms_ = 0;
};

/// MoveBody moves the next `size` bytes of a body (at most its bytes()) to `output`, and lets
/// whoever sends it send as many again.
void MoveBody(StreamPipe& body, std::size_t size, OutputQueue& output);

/// DropBody throws away what waits in a body, and credits the connection that it came by.
void DropBody(StreamPipe& body);

}  // namespace crivet::proxy
