// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/containerd_files.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <utility>

#include "proxy/config/config_files.h"
#include "proxy/config/config_values.h"
#include "trust/base/quoted.h"
#include "trust/toml/toml_document.h"

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;
using trust::Fail;
using trust::ParseToml;
using trust::Reason;
using trust::Result;
using trust::TomlArray;
using trust::TomlMember;
using trust::TomlTable;
using trust::TomlValue;

constexpr std::size_t kMostFiles = 1024;
// Both start containerd behind one socket, each with a folder for its configuration; hosts.toml
// files lie beside that.
constexpr std::string_view kRancherSocket = "/k3s/containerd/containerd.sock";
constexpr const char* kRancherFolders[] = {"/var/lib/rancher/k3s/agent/etc/containerd",
                                           "/var/lib/rancher/rke2/agent/etc/containerd"};
// Where containerd's documentation puts both, and its newest versions look for hosts.toml by
// themselves.
constexpr char kUsualFolder[] = "/etc/containerd";

/// Where a containerd has its configuration.
struct Home {
  std::string folder = kUsualFolder;
  std::string doubt = {};  ///< why it may be elsewhere

  std::string main_file() const { return folder + "/config.toml"; }
  std::string hosts() const { return folder + "/certs.d"; }
};

/// A file of the configuration, and what it says.
struct SayingFile {
  std::string path;
  ContainerdConfigFile said;
};

bool IsThere(const std::string& root, const std::string& path) {
  return OpenUnder(root, path, 0) || (errno != ENOENT && errno != ENOTDIR);
}

bool IsOfRancher(std::string_view upstream) {
  const auto is_below = [&](std::string_view folder) {
    return upstream.starts_with(folder) && upstream.substr(folder.size()) == kRancherSocket;
  };
  return is_below("/run") || is_below("/var/run");
}

Home HomeOf(const std::string& root, std::string_view upstream) {
  if (!IsOfRancher(upstream)) return {};
  std::vector<std::string> there;
  for (const std::string folder : kRancherFolders) {
    if (IsThere(root, Home{folder}.main_file())) there.push_back(folder);
  }
  if (there.size() == 1) return {there.front()};
  if (there.empty()) {
    return {kUsualFolder,
            fmt::format("{} is k3s' or RKE2's, and config.toml is in neither of {} (another "
                        "data-dir?)",
                        upstream, fmt::join(kRancherFolders, ", "))};
  }
  return {there.front(), fmt::format("the configuration of both k3s and RKE2 is there, in {}",
                                     fmt::join(there, " and "))};
}

// By containerd's own rules: relative to the file that names it, patterns by glob(3).
std::vector<std::string> Resolve(const std::string& root, const std::string& parent,
                                 const std::string& import) {
  fs::path path = fs::path(import).lexically_normal();
  if (path.is_relative()) path = (fs::path(parent).parent_path() / path).lexically_normal();
  if (path.string().find('*') == std::string::npos) return {path.string()};
  glob_t found{};
  std::vector<std::string> files;
  if (glob((root + path.string()).c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      files.emplace_back(found.gl_pathv[i] + root.size());
    }
  }
  globfree(&found);
  // Byte by byte, as Go sorts; glob(3) goes by the locale.
  std::sort(files.begin(), files.end());
  return files;
}

const TomlTable* TableIn(const TomlTable& table, std::string_view key) {
  for (const TomlMember& member : table) {
    if (member.key == key) return std::get_if<TomlTable>(&member.value.value);
  }
  return nullptr;
}

const std::string* TextIn(const TomlTable& table, std::string_view key) {
  for (const TomlMember& member : table) {
    if (member.key == key) return std::get_if<std::string>(&member.value.value);
  }
  return nullptr;
}

bool SetsAddress(const TomlTable* section) {
  const std::string* const address = section == nullptr ? nullptr : TextIn(*section, "address");
  return address != nullptr && !address->empty();
}

std::int64_t VersionOf(const TomlTable& document) {
  for (const TomlMember& member : document) {
    const auto* version = std::get_if<std::int64_t>(&member.value.value);
    if (member.key == "version" && version != nullptr) return *version;
  }
  return 0;
}

// CRI is one plugin in 1.x, by a short name in files of the first version. In 2.x its images are
// one of their own, which takes over what files of earlier versions say to the other.
std::optional<std::string> ConfigPathIn(const TomlTable& document, const TomlTable& plugins) {
  for (const char* plugin : {"io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"}) {
    const TomlTable* const section = TableIn(plugins, plugin);
    const TomlTable* const registry = section == nullptr ? nullptr : TableIn(*section, "registry");
    const std::string* const path =
        registry == nullptr ? nullptr : TextIn(*registry, "config_path");
    if (path != nullptr) return *path;
    if (VersionOf(document) >= 3) break;
  }
  return std::nullopt;
}

// A configuration file and all that it reads, in containerd's own order.
Result<std::vector<SayingFile>> FilesFrom(const std::string& root, const std::string& main) {
  if (!IsThere(root, main)) return std::vector<SayingFile>();
  std::vector<SayingFile> files;
  for (std::deque<std::string> pending{main}; !pending.empty(); pending.pop_front()) {
    const std::string path = pending.front();
    if (std::any_of(files.begin(), files.end(),
                    [&](const SayingFile& file) { return file.path == path; })) {
      continue;
    }
    const auto text = ReadFileUnder(root, path, Secrecy::kPublic);
    if (!text) return Fail(Reason::kMalformed, path + " " + text.error());
    auto said = ParseContainerdConfigFile(*text);
    if (!said) return Fail(Reason::kMalformed, path + ", " + said.error().detail);
    if (files.size() == kMostFiles) {
      return Fail(Reason::kMalformed, main + " imports too many files");
    }
    for (const std::string& import : said->imports) {
      for (std::string& file : Resolve(root, path, import)) pending.push_back(std::move(file));
    }
    files.push_back({path, *std::move(said)});
  }
  return files;
}

// What root reads, others may not be able to, and crivet's daemon is one of them.
bool IsForFew(const std::string& root, const std::string& path) {
  if (geteuid() != 0) return false;
  struct stat status {};
  const OwnedFd file = OpenUnder(root, path, 0);
  return file && fstat(file.get(), &status) == 0 && (status.st_mode & S_IROTH) == 0;
}

}  // namespace

Result<ContainerdConfigFile> ParseContainerdConfigFile(std::string_view text) {
  const auto table = ParseToml(text);
  if (!table) {
    return Fail(Reason::kMalformed,
                fmt::format("line {}: {}", table.error().at.line, table.error().what));
  }
  ContainerdConfigFile file;
  for (const TomlMember& member : *table) {
    const auto* imports = std::get_if<TomlArray>(&member.value.value);
    if (member.key != "imports" || imports == nullptr) continue;
    for (const TomlValue& import : *imports) {
      if (const auto* path = std::get_if<std::string>(&import.value)) file.imports.push_back(*path);
    }
  }
  file.sets_address = SetsAddress(TableIn(*table, "grpc"));
  if (const TomlTable* plugins = TableIn(*table, "plugins")) {
    file.sets_address |= SetsAddress(TableIn(*plugins, "io.containerd.server.v1.grpc"));
    file.config_path = ConfigPathIn(*table, *plugins);
  }
  return file;
}

Result<std::vector<std::string>> ConfigFilesOf(const std::string& config_file) {
  const auto files = FilesFrom("", config_file);
  if (!files) return tl::unexpected(files.error());
  std::vector<std::string> paths;
  for (const SayingFile& file : *files) paths.push_back(file.path);
  return paths;
}

std::vector<std::string> FoldersIn(std::string_view config_path) {
  std::vector<std::string> folders;
  while (!config_path.empty()) {
    const std::size_t colon = std::min(config_path.find(':'), config_path.size());
    if (colon != 0) folders.emplace_back(config_path.substr(0, colon));
    config_path.remove_prefix(std::min(colon + 1, config_path.size()));
  }
  return folders;
}

RegistryFolders RegistryFoldersOf(const std::string& root, std::string_view upstream) {
  const Home home = HomeOf(root, upstream);
  RegistryFolders usual{.folders = {home.hosts()}, .doubt = home.doubt};
  const auto files = FilesFrom(root, home.main_file());
  if (!files) {
    usual.doubt = files.error().detail;
    return usual;
  }
  RegistryFolders found = usual;
  for (const SayingFile& file : *files) {
    if (IsForFew(root, file.path)) {
      found.doubt =
          fmt::format("{} is not for everybody to read, and crivet's user may not", file.path);
    }
    if (!file.said.config_path) continue;
    found.folders = FoldersIn(*file.said.config_path);
    found.said_by = file.path;
  }
  for (const std::string& folder : found.folders) {
    if (CheckAbsolutePath(folder, PathUse::kFile)) continue;
    usual.doubt =
        fmt::format("{} names {}, which is no absolute path", found.said_by, trust::Quoted(folder));
    return usual;
  }
  return found;
}

}  // namespace crivet::proxy
