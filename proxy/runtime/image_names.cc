// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/image_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/runtime/state_file.h"

namespace crivet::proxy {

ImageNames::ImageNames(ImageNames&& other) noexcept
    : path_(std::move(other.path_)),
      entries_(std::move(other.entries_)),
      next_age_(other.next_age_) {}

ImageNames ImageNames::Load(std::string state_dir) {
  ImageNames names(std::move(state_dir) + "/image-names.json");
  const auto document =
      nlohmann::json::parse(ReadStateFile(names.path_), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("names") || !document["names"].is_array()) {
    return names;
  }
  for (const auto& row : document["names"]) {
    if (!row.is_array() || row.size() != 2 || !row[0].is_string() || !row[1].is_string()) continue;
    const auto tagged = trust::ImageReference::Parse(row[0].get<std::string>());
    const auto pinned = trust::ImageReference::Parse(row[1].get<std::string>());
    if (!tagged || !pinned || tagged->digest() || !pinned->digest()) continue;
    if (names.entries_.size() >= kMaxNames) break;
    names.entries_.insert_or_assign(tagged->Canonical(),
                                    Entry{pinned->Canonical(), names.next_age_++});
  }
  return names;
}

trust::Result<void> ImageNames::Set(const std::string& tagged, const trust::Sha256Digest& digest) {
  const auto reference = trust::ImageReference::Parse(tagged);
  if (!reference) return tl::unexpected(reference.error());
  std::lock_guard lock(mutex_);
  Entry entry{reference->PinnedTo(digest), next_age_++};
  entries_.insert_or_assign(reference->Canonical(), std::move(entry));
  if (entries_.size() > kMaxNames) {
    entries_.erase(
        std::min_element(entries_.begin(), entries_.end(),
                         [](const auto& a, const auto& b) { return a.second.age < b.second.age; }));
  }
  return Save();
}

trust::Result<void> ImageNames::Remove(const std::string& tagged) {
  std::lock_guard lock(mutex_);
  if (entries_.erase(tagged) == 0) return {};
  return Save();
}

std::optional<trust::Sha256Digest> ImageNames::Find(const std::string& tagged) const {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(tagged);
  if (entry == entries_.end()) return std::nullopt;
  const auto pinned = trust::ImageReference::Parse(entry->second.pinned);
  return pinned ? pinned->digest() : std::nullopt;
}

std::optional<ImageNames::Kept> ImageNames::Look(const std::string& tagged) const {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(tagged);
  if (entry == entries_.end()) return std::nullopt;
  return Kept{tagged, entry->second.pinned, entry->second.age};
}

trust::Result<void> ImageNames::Forget(const Kept& kept) {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(kept.tagged);
  if (entry == entries_.end() || entry->second.age != kept.age) return {};
  entries_.erase(entry);
  return Save();
}

std::vector<std::string> ImageNames::TagsOf(const std::string& pinned) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> tags;
  for (const auto& [tagged, entry] : entries_) {
    if (entry.pinned == pinned) tags.push_back(tagged);
  }
  return tags;
}

bool ImageNames::empty() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

// Precondition: the lock is held. Oldest first, so that ages survive a restart.
trust::Result<void> ImageNames::Save() const {
  std::vector<std::pair<std::uint64_t, nlohmann::json>> rows;
  rows.reserve(entries_.size());
  for (const auto& [tagged, entry] : entries_) {
    rows.emplace_back(entry.age, nlohmann::json::array({tagged, entry.pinned}));
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  nlohmann::json names = nlohmann::json::array();
  for (auto& row : rows) names.push_back(std::move(row.second));
  return ReplaceStateFile(path_, nlohmann::json{{"names", std::move(names)}}.dump(),
                          Against::kPowerCut);
}

}  // namespace crivet::proxy
