// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/output_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace crivet::proxy {
namespace {

// Below this a copy is cheaper than one more entry for the kernel to walk.
constexpr std::size_t kCopyBelow = 1024;
constexpr std::size_t kMaxVectors = 64;
constexpr std::size_t kKeptSlices = 64;

}  // namespace

void OutputQueue::AppendCopy(const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    if (!copies_ || copied_ == copies_->capacity) {
      copies_ = pool_.Take();
      copied_ = 0;
    }
    std::uint8_t* to = copies_->bytes() + copied_;
    const std::size_t part = std::min<std::size_t>(size, copies_->capacity - copied_);
    std::memcpy(to, data, part);
    const bool adjoins = !slices_.empty() && slices_.back().data + slices_.back().size == to;
    if (adjoins) {
      slices_.back().size += part;
    } else {
      slices_.push_back({copies_, to, part});
    }
    copied_ += part;
    bytes_ += part;
    data += part;
    size -= part;
  }
}

void OutputQueue::Append(Slice slice) {
  if (slice.size < kCopyBelow) {
    AppendCopy(slice.data, slice.size);
    return;
  }
  bytes_ += slice.size;
  slices_.push_back(std::move(slice));
}

OutputQueue::WriteOutcome OutputQueue::WriteTo(int fd) {
  while (bytes_ > 0) {
    std::array<iovec, kMaxVectors> vectors;
    std::size_t count = 0;
    for (std::size_t i = first_; i < slices_.size() && count < kMaxVectors; ++i, ++count) {
      vectors[count] = {const_cast<std::uint8_t*>(slices_[i].data), slices_[i].size};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t written = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? WriteOutcome::kBlocked : WriteOutcome::kBroken;
    }
    Drop(static_cast<std::size_t>(written));
  }
  return WriteOutcome::kDrained;
}

void OutputQueue::Drop(std::size_t written) {
  bytes_ -= written;
  if (bytes_ == 0) {
    Clear();
    return;
  }
  while (written > 0) {
    Slice& slice = slices_[first_];
    const std::size_t part = std::min(written, slice.size);
    slice.data += part;
    slice.size -= part;
    written -= part;
    if (slice.size == 0) {
      slice.chunk = ChunkRef();
      ++first_;
    }
  }
  // A queue that is never quite empty must not grow at its written end.
  if (first_ >= kKeptSlices) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputQueue::Clear() {
  bytes_ = 0;
  first_ = 0;
  slices_.clear();
  if (slices_.capacity() > kKeptSlices) slices_.shrink_to_fit();
  copies_ = ChunkRef();
  copied_ = 0;
}

}  // namespace crivet::proxy
