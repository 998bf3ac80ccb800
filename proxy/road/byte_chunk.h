// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace crivet::proxy {

class ChunkPool;

/// ByteChunk is a counted block of memory whose bytes follow it. Received bytes stay where the
/// kernel put them until they are sent on; slices of a chunk keep it alive. One thread only: the
/// count is not atomic.
struct ByteChunk {
  std::uint32_t references;
  std::uint32_t capacity;
  ChunkPool* pool;  ///< where it goes back to; null: freed

  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

/// ChunkRef shares a ByteChunk.
class ChunkRef {
 public:
  ChunkRef() = default;
  /// Takes over one reference that the caller holds.
  explicit ChunkRef(ByteChunk* chunk) : chunk_(chunk) {}
  ChunkRef(const ChunkRef& other) : chunk_(other.chunk_) {
    if (chunk_ != nullptr) ++chunk_->references;
  }
  ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~ChunkRef() {
    if (chunk_ != nullptr && --chunk_->references == 0) Free(chunk_);
  }

  ByteChunk* operator->() const { return chunk_; }
  explicit operator bool() const { return chunk_ != nullptr; }
  bool IsShared() const { return chunk_->references > 1; }
  friend bool operator==(const ChunkRef&, const ChunkRef&) = default;

 private:
  static void Free(ByteChunk* chunk);

  ByteChunk* chunk_ = nullptr;
};

/// Slice is a range of bytes and the chunk that keeps them alive.
struct Slice {
  ChunkRef chunk;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/// CopySlice copies `size` bytes into a chunk of just that size.
Slice CopySlice(const std::uint8_t* data, std::size_t size);

/// ChunkPool hands out chunks of kChunkBytes and keeps a few that came back. What is beyond those
/// goes back to the kernel at once, so a burst leaves nothing behind (proxy/RULES.md#the-road).
class ChunkPool {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{128} * 1024;
  static constexpr std::size_t kChunkBytes = kBlockBytes - sizeof(ByteChunk);
  static constexpr std::size_t kKept = 8;

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  /// Every chunk has come back by now.
  ~ChunkPool();

  ChunkRef Take();

 private:
  friend class ChunkRef;
  void GiveBack(ByteChunk* chunk);

  std::vector<ByteChunk*> kept_;
};

}  // namespace crivet::proxy
