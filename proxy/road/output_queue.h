// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/road/byte_chunk.h"

namespace crivet::proxy {

/// OutputQueue holds what is to be written to one socket: frame headers and small payloads copied
/// side by side, large payloads by reference. Holds no chunk when empty.
class OutputQueue {
 public:
  enum class WriteOutcome {
    kDrained,
    kBlocked,  ///< the socket takes no more now
    kBroken,
  };

  explicit OutputQueue(ChunkPool& pool) : pool_(pool) {}

  void AppendCopy(const std::uint8_t* data, std::size_t size);
  void Append(Slice slice);

  /// Writes until the queue is empty or the socket takes no more.
  WriteOutcome WriteTo(int fd);

  /// Throws away what waits.
  void Clear();

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

 private:
  void Drop(std::size_t written);

  ChunkPool& pool_;
  std::vector<Slice> slices_;
  std::size_t first_ = 0;  // index of the first slice that is not written yet
  std::size_t bytes_ = 0;
  ChunkRef copies_;  // where copied bytes are collected
  std::size_t copied_ = 0;
};

}  // namespace crivet::proxy
