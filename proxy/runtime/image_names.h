// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// ImageNames remembers which tag was given to which digest, for a runtime that cannot be told
/// (proxy/RULES.md#the-tag: a runtime without containerd's images API gets the same answers by
/// translation). It is durable: a change is on disk when the call returns. Thread-safe. Holds at
/// most kMaxNames; the oldest goes first.
class ImageNames {
 public:
  static constexpr std::size_t kMaxNames = 10'000;

  /// Reads `<state_dir>/image-names.json`. A file that is missing, or damaged, is an empty map:
  /// names come back with the next pull. The folder must exist by the first change.
  static ImageNames Load(std::string state_dir);

  ImageNames(ImageNames&& other) noexcept;

  /// Canonical `tagged` names the digest from now on. kState where it cannot be written.
  trust::Result<void> Set(const std::string& tagged, const trust::Sha256Digest& digest);

  /// Forgets a name; no error where it is not there.
  trust::Result<void> Remove(const std::string& tagged);

  std::optional<trust::Sha256Digest> Find(const std::string& tagged) const;

  /// Kept is a name as it was at one time: given anew since, to the same digest too, it is another.
  struct Kept {
    std::string tagged;
    std::string pinned;  ///< `repository@sha256:…`
    std::uint64_t age = 0;
  };
  std::optional<Kept> Look(const std::string& tagged) const;

  /// Forgets `kept`, unless the name was given anew since.
  trust::Result<void> Forget(const Kept& kept);

  /// The tags of `repository@digest`, sorted.
  std::vector<std::string> TagsOf(const std::string& pinned) const;

  bool empty() const;

 private:
  explicit ImageNames(std::string path) : path_(std::move(path)) {}
  trust::Result<void> Save() const;

  std::string path_;
  mutable std::mutex mutex_;
  struct Entry {
    std::string pinned;  ///< `repository@sha256:…`
    std::uint64_t age = 0;
  };
  std::map<std::string, Entry> entries_;
  std::uint64_t next_age_ = 1;
};

}  // namespace crivet::proxy
