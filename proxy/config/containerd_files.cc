// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/containerd_files.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <deque>
#include <filesystem>

#include "proxy/config/config_files.h"
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

bool IsThere(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// By containerd's own rules: relative to the file that names it, patterns by glob(3).
std::vector<std::string> Resolve(const std::string& parent, const std::string& import) {
  fs::path path = fs::path(import).lexically_normal();
  if (path.is_relative()) path = (fs::path(parent).parent_path() / path).lexically_normal();
  if (path.string().find('*') == std::string::npos) return {path.string()};
  glob_t found{};
  std::vector<std::string> files;
  if (glob(path.c_str(), 0, nullptr, &found) == 0) {
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
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

bool SetsAddress(const TomlTable* section) {
  if (section == nullptr) return false;
  for (const TomlMember& member : *section) {
    const auto* text = std::get_if<std::string>(&member.value.value);
    if (member.key == "address" && text != nullptr && !text->empty()) return true;
  }
  return false;
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
  }
  return file;
}

Result<std::vector<std::string>> ConfigFilesOf(const std::string& config_file) {
  if (!IsThere(config_file)) return std::vector<std::string>();
  std::vector<std::string> files;
  for (std::deque<std::string> pending{config_file}; !pending.empty(); pending.pop_front()) {
    const std::string& path = pending.front();
    if (std::find(files.begin(), files.end(), path) != files.end()) continue;
    const auto text = ReadNamedFile(path, Secrecy::kPublic);
    if (!text) return Fail(Reason::kMalformed, path + " " + text.error());
    const auto parsed = ParseContainerdConfigFile(*text);
    if (!parsed) return Fail(Reason::kMalformed, path + ", " + parsed.error().detail);
    if (files.size() == kMostFiles) {
      return Fail(Reason::kMalformed, config_file + " imports too many files");
    }
    files.push_back(path);
    const std::string parent = path;
    for (const std::string& import : parsed->imports) {
      for (std::string& file : Resolve(parent, import)) pending.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace crivet::proxy
