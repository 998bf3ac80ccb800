// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/http2_callbacks.h"

#include <algorithm>
#include <new>

#include "proxy/road/http2_session.h"
#include "proxy/road/road_bed.h"

namespace crivet::proxy {
namespace {

constexpr std::size_t kFrameHeaderBytes = 9;
// One frame is never larger, whatever the peer allows: others on the connection have their turn.
constexpr std::int32_t kLargestFrame = 64 * 1024;
// What is allowed in one go and then per second. Cancelling is cheap and kubelet's clients do it in
// bulk; the library's default ends the connection at the 1001st (proxy/RULES.md#the-road).
constexpr std::uint64_t kResetBurst = 100'000;
constexpr std::uint64_t kResetsPerSecond = 10'000;
constexpr std::size_t kMaxContinuations = 32;
constexpr std::size_t kMaxSentHeaderBytes = std::size_t{1024} * 1024;

Http2Session& SessionOf(void* user) { return *static_cast<Http2Session*>(user); }

StreamRelay* RelayOf(nghttp2_session* http2, std::int32_t stream) {
  return static_cast<StreamRelay*>(nghttp2_session_get_stream_user_data(http2, stream));
}

bool EndsStream(const nghttp2_frame_hd& header) {
  return (header.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

}  // namespace

Http2Callbacks::Http2Callbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  callbacks_.reset(callbacks);
  if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  option_.reset(option);

  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback2(callbacks, &OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrameReceived);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnChunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClose);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &OnFrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, &OnFrameNotSent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, &SendBody);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, &FrameLength);

  nghttp2_option_set_no_auto_window_update(option, 1);
  // gRPC's headers are the peers' to judge.
  nghttp2_option_set_no_http_messaging(option, 1);
  // Closed streams would be kept for the sake of priorities that nobody here uses.
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetsPerSecond);
  nghttp2_option_set_max_continuations(option, kMaxContinuations);
  nghttp2_option_set_max_send_header_block_length(option, kMaxSentHeaderBytes);
}

int Http2Callbacks::OnBeginHeaders(nghttp2_session*, const nghttp2_frame*, void* user) {
  Http2Session& session = SessionOf(user);
  session.received_.Clear();
  session.header_overflow_ = false;
  return 0;
}

int Http2Callbacks::OnHeader(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf* name,
                             nghttp2_rcbuf* value, std::uint8_t flags, void* user) {
  Http2Session& session = SessionOf(user);
  const std::size_t size = nghttp2_rcbuf_get_buf(name).len + nghttp2_rcbuf_get_buf(value).len;
  if (session.received_.bytes() + size > session.bed_.limits().max_header_bytes) {
    session.header_overflow_ = true;
  }
  if (!session.header_overflow_) session.received_.Add(name, value, flags);
  return 0;
}

int Http2Callbacks::OnFrameReceived(nghttp2_session* http2, const nghttp2_frame* frame,
                                    void* user) {
  Http2Session& session = SessionOf(user);
  const std::int32_t stream = frame->hd.stream_id;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      if (session.header_overflow_) {
        session.Reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
      } else {
        session.owner_.OnHeaders(session, stream, RelayOf(http2, stream), session.received_,
                                 EndsStream(frame->hd) ? StreamEnd::kEnded : StreamEnd::kOpen);
      }
      session.received_.Clear();
      return 0;
    case NGHTTP2_DATA:
      if (EndsStream(frame->hd)) {
        session.owner_.OnEndOfBytes(session, stream, RelayOf(http2, stream));
      } else if (frame->hd.length == 0 && !session.SpendOnNoise()) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
      }
      return 0;
    case NGHTTP2_GOAWAY:
      session.owner_.OnGoaway(session, frame->goaway.error_code,
                              {reinterpret_cast<const char*>(frame->goaway.opaque_data),
                               frame->goaway.opaque_data_len});
      return 0;
    case NGHTTP2_PING:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        session.owner_.OnPong(session);
        return 0;
      }
      [[fallthrough]];
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PRIORITY:
      return session.SpendOnNoise() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    default:
      return 0;
  }
}

int Http2Callbacks::OnChunk(nghttp2_session* http2, std::uint8_t, std::int32_t stream,
                            const std::uint8_t* data, std::size_t length, void* user) {
  Http2Session& session = SessionOf(user);
  session.owner_.OnBytes(session, stream, RelayOf(http2, stream),
                         session.bed_.SliceOf(data, length));
  return 0;
}

int Http2Callbacks::OnStreamClose(nghttp2_session* http2, std::int32_t stream,
                                  std::uint32_t error_code, void* user) {
  Http2Session& session = SessionOf(user);
  // A request that never left was not refused for its own sake: the client may repeat it.
  if (session.unsent_stream_ == stream) error_code = NGHTTP2_REFUSED_STREAM;
  session.owner_.OnStreamClosed(session, stream, RelayOf(http2, stream), error_code);
  return 0;
}

int Http2Callbacks::OnFrameSent(nghttp2_session* http2, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
    Http2Session& session = SessionOf(user);
    session.broke_protocol_ |= !session.sent_goaway_;
  }
  const bool has_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (has_end && EndsStream(frame->hd)) {
    Http2Session& session = SessionOf(user);
    session.owner_.OnEndSent(session, frame->hd.stream_id, RelayOf(http2, frame->hd.stream_id));
  }
  return 0;
}

int Http2Callbacks::OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
  if (frame->hd.type == NGHTTP2_HEADERS) SessionOf(user).unsent_stream_ = frame->hd.stream_id;
  return 0;
}

int Http2Callbacks::SendBody(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_header,
                             std::size_t length, nghttp2_data_source* source, void* user) {
  Http2Session& session = SessionOf(user);
  if (session.IsOutputFull()) return NGHTTP2_ERR_WOULDBLOCK;
  session.output_.AppendCopy(frame_header, kFrameHeaderBytes);
  MoveBody(*static_cast<StreamPipe*>(source->ptr), length, session.output_);
  return 0;
}

ssize_t Http2Callbacks::FrameLength(nghttp2_session*, std::uint8_t, std::int32_t,
                                    std::int32_t session_window, std::int32_t stream_window,
                                    std::uint32_t max_frame_size, void*) {
  return std::min(
      {session_window, stream_window, static_cast<std::int32_t>(max_frame_size), kLargestFrame});
}

}  // namespace crivet::proxy
