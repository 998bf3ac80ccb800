#include "proxy/cli/trust_folders.h"

#include <algorithm>
#include <filesystem>

namespace crivet::proxy::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxFolders = 100'000;

// `tuf/reg.example/app/metadata` -> `reg.example/app`.
std::string NameOf(fs::path relative) {
  std::string name = relative.generic_string();
  for (const std::string_view prefix : {"v2/", "trust/", "tuf/"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  for (const std::string_view suffix : {"/metadata", "/_trust/tuf"}) {
    if (name.ends_with(suffix)) name.erase(name.size() - suffix.size());
  }
  return name;
}

}  // namespace

std::vector<TrustFolder> FindTrustFolders(const std::string& folder) {
  std::vector<TrustFolder> found;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= kMaxDepth) entry.disable_recursion_pending();
    if (found.size() >= kMaxFolders) break;
    std::error_code ignored;
    if (entry->path().filename() != "root.json" || !entry->is_regular_file(ignored)) continue;
    const fs::path holder = entry->path().parent_path();
    if (auto gun = trust::Gun::Parse(NameOf(holder.lexically_relative(folder)))) {
      found.push_back({std::move(*gun), holder.string()});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const TrustFolder& a, const TrustFolder& b) { return a.gun < b.gun; });
  return found;
}

}  // namespace crivet::proxy::cli
