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

std::uint64_t SeededHash(std::uint64_t seed, std::string_view bytes) {
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

std::size_t TagIndex::size() const {
  return std::visit([](const auto& table) { return table.slots.size(); }, table_);
}

std::string_view TagIndex::NameAt(std::uint32_t begin) const { return names_.c_str() + begin; }

std::size_t TagIndex::HashOf(std::string_view bytes) const { return SeededHash(seed_, bytes); }

std::optional<Sha256Digest> TagIndex::Find(std::string_view tag) const {
  return std::visit(
      [&](const auto& table) -> std::optional<Sha256Digest> {
        if (table.slots.empty()) return std::nullopt;
        for (auto at = table.first_by_tag[HashOf(tag) & (table.first_by_tag.size() - 1)];
             at != table.kNone;) {
          const auto& slot = table.slots[at];
          if (NameAt(slot.name_begin) == tag) return Sha256Digest(slot.digest);
          at = slot.next_by_tag;
        }
        return std::nullopt;
      },
      table_);
}

template <typename Entry>
std::size_t TagIndex::NextWith(const Table<Entry>& table, const Sha256& digest, Entry entry) {
  while (entry != table.kNone && table.slots[entry].digest != digest) {
    entry = table.slots[entry].next_by_digest;
  }
  return entry == table.kNone ? kAtEnd : entry;
}

TagIndex::TagRange TagIndex::TagsOf(const Sha256Digest& digest) const {
  const Sha256& bytes = digest.bytes();
  const std::size_t first = std::visit(
      [&](const auto& table) {
        if (table.slots.empty()) return kAtEnd;
        const std::size_t bucket = HashOf(BytesOf(bytes)) & (table.first_by_digest.size() - 1);
        return NextWith(table, bytes, table.first_by_digest[bucket]);
      },
      table_);
  return {this, first};
}

std::string_view TagIndex::TagRange::Iterator::operator*() const {
  return std::visit(
      [&](const auto& table) { return index_->NameAt(table.slots[slot_].name_begin); },
      index_->table_);
}

TagIndex::TagRange::Iterator& TagIndex::TagRange::Iterator::operator++() {
  slot_ = std::visit(
      [&](const auto& table) {
        const auto& slot = table.slots[slot_];
        return NextWith(table, slot.digest, slot.next_by_digest);
      },
      index_->table_);
  return *this;
}

std::size_t TagIndex::resident_bytes() const {
  return names_.capacity() +
         std::visit(
             [](const auto& table) {
               return table.slots.capacity() * sizeof table.slots[0] +
                      (table.first_by_tag.capacity() + table.first_by_digest.capacity()) *
                          sizeof table.kNone;
             },
             table_);
}

TagIndex::Builder::Builder(const Sha256& seed, std::size_t most) {
  constexpr std::size_t kUsualNameSize = 16;
  std::memcpy(&index_.seed_, seed.data(), sizeof index_.seed_);
  index_.names_.reserve(most * kUsualNameSize);
  if (most >= Small::kNone) index_.table_.emplace<Large>();
  std::visit([most](auto& table) { table.slots.reserve(most); }, index_.table_);
}

void TagIndex::Builder::Add(std::string_view tag, const Sha256& digest) {
  const auto begin = static_cast<std::uint32_t>(index_.names_.size());
  std::visit(
      [&](auto& table) {
        table.slots.push_back({.digest = digest,
                               .name_begin = begin,
                               .next_by_tag = table.kNone,
                               .next_by_digest = table.kNone});
      },
      index_.table_);
  index_.names_ += tag;
  index_.names_ += '\0';
}

template <typename Entry>
void TagIndex::Link(Table<Entry>& table) const {
  const std::size_t size = table.slots.size();
  if (size == 0) return;
  const std::size_t buckets = std::bit_ceil(size);
  table.first_by_tag.assign(buckets, table.kNone);
  table.first_by_digest.assign(buckets, table.kNone);
  for (std::size_t i = 0; i < size; ++i) {
    auto& slot = table.slots[i];
    const auto entry = static_cast<Entry>(i);
    Entry& by_tag = table.first_by_tag[HashOf(NameAt(slot.name_begin)) & (buckets - 1)];
    slot.next_by_tag = std::exchange(by_tag, entry);
    Entry& by_digest = table.first_by_digest[HashOf(BytesOf(slot.digest)) & (buckets - 1)];
    slot.next_by_digest = std::exchange(by_digest, entry);
  }
}

TagIndex TagIndex::Builder::Build() && {
  index_.names_.shrink_to_fit();
  std::visit([this](auto& table) { index_.Link(table); }, index_.table_);
  return std::move(index_);
}

}  // namespace crivet::trust
