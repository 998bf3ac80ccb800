// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"

namespace crivet::trust {

/// TagIndex holds the tags of one targets file: found by tag and by digest in constant time, about
/// 45 bytes a tag beside its name, 60 in files of more than 65 534 (bench/README.md). Immutable
/// once built, safe to share between threads.
///
/// Layout: all names in one string, and two hash tables with chains over the same slots. What a
/// look at one tag needs stands in its slot: of a large file every memory line read is a miss. The
/// hash is seeded by the file's own digest, so whoever writes the file cannot choose names that
/// collide.
class TagIndex {
 public:
  class Builder;
  class TagRange;

  TagIndex() = default;

  std::size_t size() const;
  std::optional<Sha256Digest> Find(std::string_view tag) const;
  /// Every tag that has this digest, in no particular order. The range and its views live no longer
  /// than the index.
  TagRange TagsOf(const Sha256Digest& digest) const;
  std::size_t resident_bytes() const;

 private:
  /// Slots are counted by `Entry`, whose greatest value is for none.
  template <typename Entry>
  struct Table {
    static constexpr Entry kNone = static_cast<Entry>(-1);
    struct Slot {
      Sha256 digest;
      std::uint32_t name_begin;  // in names_
      Entry next_by_tag;
      Entry next_by_digest;
    };
    std::vector<Slot> slots;
    std::vector<Entry> first_by_tag;  // a bucket's first slot; a power of two of them
    std::vector<Entry> first_by_digest;
  };
  // Most repositories are small, and a node may hold thousands of them.
  using Small = Table<std::uint16_t>;
  using Large = Table<std::uint32_t>;
  static constexpr std::size_t kAtEnd = static_cast<std::size_t>(-1);

  std::string_view NameAt(std::uint32_t begin) const;
  std::size_t HashOf(std::string_view bytes) const;
  template <typename Entry>
  void Link(Table<Entry>& table) const;
  /// The place of the first slot with this digest in its chain from `entry` on; kAtEnd: none.
  template <typename Entry>
  static std::size_t NextWith(const Table<Entry>& table, const Sha256& digest, Entry entry);

  std::uint64_t seed_ = 0;
  std::string names_;  // each with a zero behind it, which no tag holds
  std::variant<Small, Large> table_;
};

/// TagRange iterates over the tags of one digest. For range-for.
class TagIndex::TagRange {
 public:
  class Iterator {
   public:
    std::string_view operator*() const;
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.slot_ == b.slot_; }

   private:
    friend class TagRange;
    Iterator(const TagIndex* index, std::size_t slot) : index_(index), slot_(slot) {}
    const TagIndex* index_;
    std::size_t slot_;
  };
  Iterator begin() const { return {index_, first_}; }
  Iterator end() const { return {index_, kAtEnd}; }
  bool empty() const { return first_ == kAtEnd; }

 private:
  friend class TagIndex;
  TagRange(const TagIndex* index, std::size_t first) : index_(index), first_(first) {}
  const TagIndex* index_;
  std::size_t first_;
};

/// Builder takes tags in any order. Precondition: there are no more than `most`, none comes twice
/// (the JSON reader saw to that) or holds a zero byte, and all names together are shorter than
/// 4 GiB (limits.h).
class TagIndex::Builder {
 public:
  Builder(const Sha256& seed, std::size_t most);
  void Add(std::string_view tag, const Sha256& digest);
  TagIndex Build() &&;

 private:
  TagIndex index_;
};

}  // namespace crivet::trust
