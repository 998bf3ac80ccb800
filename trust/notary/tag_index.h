// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"

namespace crivet::trust {

/// TagIndex holds the tags of one targets file: found by tag and by digest in constant time, about
/// 60 bytes a tag beside its name (bench/README.md). Immutable once built, safe to share between
/// threads.
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

  std::size_t size() const { return slots_.size(); }
  std::optional<Sha256Digest> Find(std::string_view tag) const;
  /// Every tag that has this digest, in no particular order. The range and its views live no longer
  /// than the index.
  TagRange TagsOf(const Sha256Digest& digest) const;
  std::size_t resident_bytes() const;

 private:
  using Entry = std::uint32_t;
  static constexpr Entry kNone = 0xffffffff;

  struct Slot {
    Sha256 digest;
    std::uint32_t name_begin;  // in names_
    std::uint32_t name_size;
    Entry next_by_tag;
    Entry next_by_digest;
  };

  std::string_view NameOf(const Slot& slot) const;
  std::size_t BucketOf(std::string_view bytes) const;

  std::uint64_t seed_ = 0;
  std::string names_;
  std::vector<Slot> slots_;
  std::vector<Entry> first_by_tag_;  // a bucket's first slot; a power of two of them
  std::vector<Entry> first_by_digest_;
};

/// TagRange iterates over the tags of one digest. For range-for.
class TagIndex::TagRange {
 public:
  class Iterator {
   public:
    std::string_view operator*() const { return index_->NameOf(index_->slots_[entry_]); }
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.entry_ == b.entry_; }

   private:
    friend class TagRange;
    Iterator(const TagIndex* index, Entry entry) : index_(index), entry_(entry) {}
    const TagIndex* index_;
    Entry entry_;
  };
  Iterator begin() const { return {index_, first_}; }
  Iterator end() const { return {index_, kNone}; }
  bool empty() const { return first_ == kNone; }

 private:
  friend class TagIndex;
  TagRange(const TagIndex* index, Entry first) : index_(index), first_(first) {}
  const TagIndex* index_;
  Entry first_;
};

/// Builder takes tags in any order. Precondition: no tag comes twice (the JSON reader saw to that)
/// and all names together are shorter than 4 GiB (limits.h).
class TagIndex::Builder {
 public:
  explicit Builder(const Sha256& seed);
  void Reserve(std::size_t tags);
  void Add(std::string_view tag, const Sha256& digest);
  TagIndex Build() &&;

 private:
  TagIndex index_;
};

}  // namespace crivet::trust
