// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/stream_pipe.h"

#include <algorithm>
#include <utility>

namespace crivet::proxy {
namespace {

constexpr std::size_t kKeptSlices = 16;

}  // namespace

void StreamPipe::Reset() {
  slices_.clear();
  if (slices_.capacity() > kKeptSlices) slices_.shrink_to_fit();
  first_ = 0;
  bytes_ = 0;
  trailers_.reset();
  source_ = nullptr;
  source_stream_ = 0;
  ended_ = false;
  starved = false;
}

void StreamPipe::SetSource(Http2Session& source, std::int32_t source_stream) {
  source_ = &source;
  source_stream_ = source_stream;
}

void StreamPipe::Append(Slice slice) {
  bytes_ += slice.size;
  slices_.push_back(std::move(slice));
}

void StreamPipe::EndWith(HeaderBlock trailers) {
  trailers_ = std::move(trailers);
  ended_ = true;
}

Slice StreamPipe::TakeFront(std::size_t at_most) {
  Slice& front = slices_[first_];
  if (at_most < front.size) {
    Slice part{front.chunk, front.data, at_most};
    front.data += at_most;
    front.size -= at_most;
    bytes_ -= at_most;
    return part;
  }
  Slice whole = std::move(front);
  bytes_ -= whole.size;
  ++first_;
  if (bytes_ == 0) {
    slices_.clear();
    first_ = 0;
  } else if (first_ >= kKeptSlices && first_ * 2 >= slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return whole;
}

std::size_t StreamPipe::Clear() {
  slices_.clear();
  first_ = 0;
  trailers_.reset();
  return std::exchange(bytes_, 0);
}

}  // namespace crivet::proxy
