// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/unseen_sandboxes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/runtime/state_file.h"
#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;

// A row of the file: namespace, name, UID, attempt, image, IDs. What a pod is called may be any
// bytes.
json Encoded(const std::string& text) { return trust::ToBase64(trust::AsBytes(text)); }

std::optional<std::string> Decoded(const json& text) {
  if (!text.is_string()) return std::nullopt;
  return trust::FromBase64(text.get_ref<const std::string&>());
}

constexpr std::size_t kColumns = 6;

std::optional<std::pair<SandboxKey, UnseenSandboxes::Expected>> ReadRow(const json& row) {
  if (!row.is_array() || row.size() != kColumns) return std::nullopt;
  const auto name_space = Decoded(row[0]);
  const auto name = Decoded(row[1]);
  const auto uid = Decoded(row[2]);
  if (!name_space || !name || !uid || !row[3].is_number_unsigned() || !row[4].is_string() ||
      !row[5].is_array()) {
    return std::nullopt;
  }
  UnseenSandboxes::Expected expected{row[4].get<std::string>(), {}};
  for (const json& id : row[5]) {
    if (!id.is_string()) return std::nullopt;
    expected.image_ids.push_back(id.get<std::string>());
  }
  // Nothing would be right.
  if (expected.image_ids.empty()) return std::nullopt;
  return std::pair(SandboxKey{*name_space, *name, *uid, row[3].get<std::uint32_t>()},
                   std::move(expected));
}

}  // namespace

SandboxKey KeyOf(const ::runtime::v1::PodSandboxMetadata& metadata) {
  return {metadata.namespace_(), metadata.name(), metadata.uid(), metadata.attempt()};
}

UnseenSandboxes::UnseenSandboxes(const std::string& state_dir, std::function<void()> on_lost,
                                 std::function<void(const std::string& line)> log)
    : path_(state_dir + "/unseen-sandboxes.json"),
      on_lost_(std::move(on_lost)),
      log_(std::move(log)) {
  Load();
}

void UnseenSandboxes::Load() {
  const json document = json::parse(ReadStateFile(path_), nullptr, /*allow_exceptions=*/false);
  const auto rows = document.is_object() ? document.find("sandboxes") : document.end();
  if (rows == document.end() || !rows->is_array()) return;
  const std::lock_guard lock(mutex_);
  for (const json& row : *rows) {
    auto read = ReadRow(row);
    if (!read) continue;
    entries_.insert_or_assign(std::move(read->first),
                              Entry{std::move(read->second), 0, Clock::now()});
  }
}

UnseenSandboxes::Hold UnseenSandboxes::Expect(SandboxKey key, const std::string& image,
                                              const std::string& image_id) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  entry.expected.image = image;
  auto& ids = entry.expected.image_ids;
  if (std::find(ids.begin(), ids.end(), image_id) == ids.end()) ids.push_back(image_id);
  ++entry.calls;
  Save();
  return {*this, std::move(key)};
}

std::optional<UnseenSandboxes::Expected> UnseenSandboxes::Find(const SandboxKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  return entry->second.expected;
}

void UnseenSandboxes::Settle(const SandboxKey& key) {
  const std::lock_guard lock(mutex_);
  if (entries_.erase(key) > 0) Save();
}

void UnseenSandboxes::Lose(const SandboxKey& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || --entry->second.calls > 0) return;
    entry->second.lost_since = Clock::now();
  }
  on_lost_();
}

std::vector<UnseenSandboxes::Lost> UnseenSandboxes::AllLost() const {
  const std::lock_guard lock(mutex_);
  std::vector<Lost> lost;
  for (const auto& [key, entry] : entries_) {
    if (entry.calls <= 0) lost.push_back({key, entry.expected, entry.lost_since});
  }
  return lost;
}

bool UnseenSandboxes::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

// Under the lock. Not to the disk: what a power cut would take is of no use after one.
void UnseenSandboxes::Save() {
  json rows = json::array();
  for (const auto& [key, entry] : entries_) {
    rows.push_back(json::array({Encoded(key.name_space), Encoded(key.name), Encoded(key.uid),
                                key.attempt, entry.expected.image, entry.expected.image_ids}));
  }
  const auto saved =
      ReplaceStateFile(path_, json{{"sandboxes", std::move(rows)}}.dump(), Against::kCrashOfCrivet);
  // Once: it may be so for as long as the disk is full.
  if (!saved && is_saved_)
    log_("a crash now would leave sandboxes unseen: " + saved.error().detail);
  is_saved_ = saved.has_value();
}

}  // namespace crivet::proxy
