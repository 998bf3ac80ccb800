// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/trust_folders.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "trust/kinds.h"

namespace crivet::proxy::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxFolders = 100'000;

// `tuf/reg.example/app/metadata` -> `reg.example/app`.
std::string NameOf(const fs::path& relative) {
  std::string name = relative.generic_string();
  for (const std::string_view prefix : {"v2/", "trust/", "tuf/"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  for (const std::string_view suffix : {"/metadata", "/_trust/tuf"}) {
    if (name.ends_with(suffix)) name.erase(name.size() - suffix.size());
  }
  return name;
}

const trust::Kind* KindWithFile(const std::string& file) {
  for (const trust::Kind* kind : trust::AllKinds()) {
    if (kind->file_of_folders() == file) return kind;
  }
  return nullptr;
}

}  // namespace

trust::Result<TrustFolders> FindTrustFolders(const std::string& folder) {
  TrustFolders found;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    const bool there = fs::exists(folder, error);
    return trust::Fail(
        trust::Reason::kState,
        there ? "is not a folder" : "there is no such folder, or it may not be read");
  }
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  if (error) return trust::Fail(trust::Reason::kState, "cannot be read: " + error.message());
  // skip_permission_denied makes the folder itself look empty.
  if (access(folder.c_str(), R_OK | X_OK) != 0) {
    return trust::Fail(trust::Reason::kState,
                       "cannot be read: " + std::generic_category().message(errno));
  }
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= kMaxDepth) entry.disable_recursion_pending();
    if (found.collections.size() + found.nameless.size() >= kMaxFolders) break;
    std::error_code ignored;
    const trust::Kind* const kind = KindWithFile(entry->path().filename().string());
    if (kind == nullptr || !entry->is_regular_file(ignored)) continue;
    const fs::path holder = entry->path().parent_path();
    if (auto name = kind->NameOfFolder(NameOf(holder.lexically_relative(folder)))) {
      found.collections.push_back({std::string(kind->name()), *std::move(name), holder.string()});
    } else {
      found.nameless.push_back(holder.string());
    }
  }
  std::sort(found.collections.begin(), found.collections.end(),
            [](const TrustFolder& a, const TrustFolder& b) { return a.name < b.name; });
  return found;
}

}  // namespace crivet::proxy::cli
