// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/byte_chunk.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace crivet::proxy {

void ChunkRef::Free(ByteChunk* chunk) {
  if (chunk->pool != nullptr) {
    chunk->pool->GiveBack(chunk);
  } else {
    std::free(chunk);
  }
}

Slice CopySlice(const std::uint8_t* data, std::size_t size) {
  void* block = std::malloc(sizeof(ByteChunk) + size);
  if (block == nullptr) throw std::bad_alloc();
  auto* chunk = new (block) ByteChunk{1, static_cast<std::uint32_t>(size), nullptr};
  std::memcpy(chunk->bytes(), data, size);
  return {ChunkRef(chunk), chunk->bytes(), size};
}

ChunkPool::~ChunkPool() {
  for (ByteChunk* chunk : kept_) ::munmap(chunk, kBlockBytes);
}

ChunkRef ChunkPool::Take() {
  if (!kept_.empty()) {
    ByteChunk* chunk = kept_.back();
    kept_.pop_back();
    chunk->references = 1;
    return ChunkRef(chunk);
  }
  // Mapped, not from the heap: what is unmapped is really given back, whatever lies around it.
  void* block =
      ::mmap(nullptr, kBlockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  return ChunkRef(new (block) ByteChunk{1, static_cast<std::uint32_t>(kChunkBytes), this});
}

void ChunkPool::GiveBack(ByteChunk* chunk) {
  if (kept_.size() < kKept) {
    kept_.push_back(chunk);
  } else {
    ::munmap(chunk, kBlockBytes);
  }
}

}  // namespace crivet::proxy
