// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/tag_index.h"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace crivet::trust {
namespace {

std::uint64_t LoadWord(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return word;
}

// The upper half of the product depends on every bit of both, so folding it in spreads them.
std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t HashOf(std::uint64_t seed, std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = seed ^ (bytes.size() * kOdd);
  while (bytes.size() > 8) {
    hash = Mix(hash ^ LoadWord(bytes.data(), 8), kOdd);
    bytes.remove_prefix(8);
  }
  return Mix(hash ^ LoadWord(bytes.data(), bytes.size()), kOdd ^ seed);
}

std::string_view BytesOf(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string_view TagIndex::NameOf(const Slot& slot) const {
  return std::string_view(names_).substr(slot.name_begin, slot.name_size);
}

std::size_t TagIndex::BucketOf(std::string_view bytes) const {
  return HashOf(seed_, bytes) & (first_by_tag_.size() - 1);
}

std::optional<Sha256Digest> TagIndex::Find(std::string_view tag) const {
  if (size() == 0) return std::nullopt;
  for (Entry at = first_by_tag_[BucketOf(tag)]; at != kNone;) {
    const Slot& slot = slots_[at];
    if (NameOf(slot) == tag) return Sha256Digest(slot.digest);
    at = slot.next_by_tag;
  }
  return std::nullopt;
}

TagIndex::TagRange TagIndex::TagsOf(const Sha256Digest& digest) const {
  if (size() == 0) return {this, kNone};
  Entry at = first_by_digest_[BucketOf(BytesOf(digest.bytes()))];
  while (at != kNone && slots_[at].digest != digest.bytes()) at = slots_[at].next_by_digest;
  return {this, at};
}

TagIndex::TagRange::Iterator& TagIndex::TagRange::Iterator::operator++() {
  const std::vector<Slot>& slots = index_->slots_;
  const Sha256& digest = slots[entry_].digest;
  do {
    entry_ = slots[entry_].next_by_digest;
  } while (entry_ != kNone && slots[entry_].digest != digest);
  return *this;
}

std::size_t TagIndex::resident_bytes() const {
  return names_.capacity() + slots_.capacity() * sizeof(Slot) +
         (first_by_tag_.capacity() + first_by_digest_.capacity()) * sizeof(Entry);
}

TagIndex::Builder::Builder(const Sha256& seed) {
  std::memcpy(&index_.seed_, seed.data(), sizeof index_.seed_);
}

void TagIndex::Builder::Reserve(std::size_t tags) {
  constexpr std::size_t kUsualNameSize = 16;
  index_.names_.reserve(tags * kUsualNameSize);
  index_.slots_.reserve(tags);
}

void TagIndex::Builder::Add(std::string_view tag, const Sha256& digest) {
  index_.slots_.push_back({.digest = digest,
                           .name_begin = static_cast<std::uint32_t>(index_.names_.size()),
                           .name_size = static_cast<std::uint32_t>(tag.size()),
                           .next_by_tag = kNone,
                           .next_by_digest = kNone});
  index_.names_ += tag;
}

TagIndex TagIndex::Builder::Build() && {
  const std::size_t size = index_.size();
  if (size == 0) return std::move(index_);
  index_.names_.shrink_to_fit();
  index_.first_by_tag_.assign(std::bit_ceil(size), kNone);
  index_.first_by_digest_.assign(std::bit_ceil(size), kNone);
  for (Entry entry = 0; entry < size; ++entry) {
    Slot& slot = index_.slots_[entry];
    Entry& by_tag = index_.first_by_tag_[index_.BucketOf(index_.NameOf(slot))];
    slot.next_by_tag = std::exchange(by_tag, entry);
    Entry& by_digest = index_.first_by_digest_[index_.BucketOf(BytesOf(slot.digest))];
    slot.next_by_digest = std::exchange(by_digest, entry);
  }
  return std::move(index_);
}

}  // namespace crivet::trust
