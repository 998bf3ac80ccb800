// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "proxy/road/byte_chunk.h"
#include "proxy/road/header_block.h"

namespace crivet::proxy {

class Http2Session;

/// StreamPipe carries the body of one direction of one call, from the session that receives it to
/// the one that sends it on. Whoever takes bytes out credits the receiving side for them, and
/// nobody before (MoveBody, DropBody): that is the back-pressure, and what bounds the memory
/// (proxy/RULES.md#the-road).
class StreamPipe {
 public:
  /// Readies the pipe for another call, without a source.
  void Reset();
  void SetSource(Http2Session& source, std::int32_t source_stream);

  void Append(Slice slice);
  /// Nothing more comes. With `trailers` the body is followed by them.
  void End() { ended_ = true; }
  void EndWith(HeaderBlock trailers);

  /// Moves the next `size` bytes (at most bytes()) to `sink`.
  template <typename Sink>
  void MoveTo(Sink& sink, std::size_t size);

  /// Throws away what waits. Returns how many bytes that were.
  [[nodiscard]] std::size_t Clear();
  /// The source's connection is gone: there is nobody to credit any more.
  void ForgetSource() { source_ = nullptr; }
  bool IsFrom(const Http2Session& session) const { return source_ == &session; }
  /// The session that receives the body, and its stream there; null once that is gone.
  Http2Session* source() const { return source_; }
  std::int32_t source_stream() const { return source_stream_; }

  std::size_t bytes() const { return bytes_; }
  bool ended() const { return ended_; }
  HeaderBlock* trailers() { return trailers_ ? &*trailers_ : nullptr; }

  /// Set when the sending session found nothing to send and must be woken (nghttp2's DEFERRED).
  bool starved = false;

 private:
  Slice TakeFront(std::size_t at_most);

  std::vector<Slice> slices_;
  std::size_t first_ = 0;
  std::size_t bytes_ = 0;
  std::optional<HeaderBlock> trailers_;
  Http2Session* source_ = nullptr;
  std::int32_t source_stream_ = 0;
  bool ended_ = false;
};

template <typename Sink>
void StreamPipe::MoveTo(Sink& sink, std::size_t size) {
  for (std::size_t left = size; left > 0;) {
    Slice slice = TakeFront(left);
    left -= slice.size;
    sink.Append(std::move(slice));
  }
}

}  // namespace crivet::proxy
