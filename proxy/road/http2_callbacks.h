// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace crivet::proxy {

/// Http2Callbacks are nghttp2's calls into Http2Session, and the options that all sessions share.
class Http2Callbacks {
 public:
  Http2Callbacks();

  const nghttp2_session_callbacks* callbacks() const { return callbacks_.get(); }
  const nghttp2_option* option() const { return option_.get(); }

 private:
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                      nghttp2_rcbuf* value, std::uint8_t flags, void* user);
  static int OnFrameReceived(nghttp2_session* http2, const nghttp2_frame* frame, void* user);
  static int OnChunk(nghttp2_session* http2, std::uint8_t flags, std::int32_t stream,
                     const std::uint8_t* data, std::size_t length, void* user);
  static int OnStreamClose(nghttp2_session* http2, std::int32_t stream, std::uint32_t error_code,
                           void* user);
  static int OnFrameSent(nghttp2_session* http2, const nghttp2_frame* frame, void* user);
  static int OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int error, void* user);
  static int SendBody(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_header,
                      std::size_t length, nghttp2_data_source* source, void* user);
  static ssize_t FrameLength(nghttp2_session*, std::uint8_t type, std::int32_t stream,
                             std::int32_t session_window, std::int32_t stream_window,
                             std::uint32_t max_frame_size, void* user);

  struct Deleter {
    void operator()(nghttp2_session_callbacks* c) const { nghttp2_session_callbacks_del(c); }
    void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
  };

  std::unique_ptr<nghttp2_session_callbacks, Deleter> callbacks_;
  std::unique_ptr<nghttp2_option, Deleter> option_;
};

}  // namespace crivet::proxy
