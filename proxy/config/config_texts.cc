// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_texts.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "proxy/config/config_files.h"
#include "proxy/owned_fd.h"

namespace crivet::proxy {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

std::string ConfDBeside(const std::string& file) {
  return file.substr(0, file.rfind('/') + 1) + "conf.d";
}

std::string LastError() { return std::generic_category().message(errno); }

/// What keeps a file or folder out of the configuration; empty where nothing does.
std::string NotOurs(const struct stat& status, uid_t owner) {
  if (status.st_uid != 0 && status.st_uid != owner) {
    return fmt::format(
        "belongs to user {}: only root and the owner of the configuration file may say what runs",
        status.st_uid);
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "may be written by others than its owner: chmod go-w that one";
  }
  return {};
}

bool IsConfigName(std::string_view name) {
  return name.ends_with(".toml") && !name.starts_with('.');
}

/// Reads the files of a `conf.d`.
class ConfDReader {
 public:
  ConfDReader(std::string path, uid_t owner) : path_(std::move(path)), owner_(owner) {}

  void Read(const std::string& root, ConfigTexts& texts) {
    OwnedFd opened = OpenUnder(root, path_, O_DIRECTORY | O_NOFOLLOW);
    if (!opened && errno == ENOENT) return;
    struct stat status {};
    if (!opened || fstat(opened.get(), &status) != 0) return Wrong(path_, LastError());
    if (auto why = NotOurs(status, owner_); !why.empty()) return Wrong(path_, std::move(why));
    const OpenFolder folder(fdopendir(opened.get()));
    if (folder == nullptr) return Wrong(path_, LastError());
    opened.Release();  // the folder has it now
    for (const std::string& name : Names(folder.get())) ReadFile(dirfd(folder.get()), name, texts);
  }

  std::vector<ConfigError> TakeWrong() { return std::move(wrong_); }

 private:
  std::vector<std::string> Names(DIR* folder) {
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(folder)) {
      if (!IsConfigName(entry->d_name)) continue;
      names.emplace_back(entry->d_name);
      if (names.size() >= kMostConfigTexts) {
        Wrong(path_, fmt::format("more than {} files", kMostConfigTexts - 1));
        return {};
      }
    }
    if (errno != 0) Wrong(path_, LastError());
    std::sort(names.begin(), names.end());
    return names;
  }

  void ReadFile(int folder, const std::string& name, ConfigTexts& texts) {
    const std::string path = path_ + "/" + name;
    const OwnedFd file(
        openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (!file && errno == ELOOP) return Wrong(path, "is a symbolic link, and not a regular file");
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) return Wrong(path, LastError());
    if (auto why = NotOurs(status, owner_); !why.empty()) return Wrong(path, std::move(why));
    auto text = ReadOpened(file, Secrecy::kPublic);
    if (!text) return Wrong(path, std::move(text.error()));
    bytes_ += text->size();
    if (bytes_ > kMostConfigBytes) return Wrong(path, "with the files before it more than 4 MiB");
    texts.push_back({path, std::move(*text)});
  }

  void Wrong(const std::string& path, std::string what) {
    wrong_.push_back({path, 0, 0, std::move(what)});
  }

  const std::string path_;
  const uid_t owner_;
  std::size_t bytes_ = 0;
  std::vector<ConfigError> wrong_;
};

void AddTrusts(TomlTable& joined, TomlMember& more, ConfigFindings& findings) {
  auto* const tables = std::get_if<TomlTable>(&more.value.value);
  if (tables == nullptr) return findings.Wrong(more.key_at, "write each trust as [trust.LABEL]");
  const auto there = std::find_if(joined.begin(), joined.end(),
                                  [](const TomlMember& member) { return member.key == "trust"; });
  if (there == joined.end()) return joined.push_back(std::move(more));
  auto* const trusts = std::get_if<TomlTable>(&there->value.value);
  if (trusts == nullptr) return;  // whoever reads it says so
  for (TomlMember& trust : *tables) {
    const auto same = std::find_if(trusts->begin(), trusts->end(), [&](const TomlMember& member) {
      return member.key == trust.key;
    });
    if (same == trusts->end()) {
      trusts->push_back(std::move(trust));
    } else {
      findings.Wrong(trust.key_at, fmt::format("[trust.{}] stands in {} too", Shown(trust.key),
                                               findings.PlaceOf(same->key_at, trust.key_at)));
    }
  }
}

void AddRules(TomlTable& joined, TomlMember& more, ConfigFindings& findings) {
  auto* const tables = std::get_if<TomlArray>(&more.value.value);
  if (tables == nullptr) return findings.Wrong(more.key_at, "write each rule as [[rule]]");
  const auto there = std::find_if(joined.begin(), joined.end(),
                                  [](const TomlMember& member) { return member.key == "rule"; });
  if (there == joined.end()) return joined.push_back(std::move(more));
  auto* const rules = std::get_if<TomlArray>(&there->value.value);
  if (rules == nullptr) return;  // whoever reads it says so
  std::move(tables->begin(), tables->end(), std::back_inserter(*rules));
}

}  // namespace

tl::expected<ConfigTexts, std::vector<ConfigError>> ReadConfigTexts(const std::string& file,
                                                                    const std::string& root) {
  const OwnedFd opened = OpenUnder(root, file, 0);
  auto text = ReadOpened(opened, Secrecy::kPublic);
  struct stat status {};
  if (text && fstat(opened.get(), &status) != 0) text = tl::unexpected(LastError());
  if (!text) return tl::unexpected(std::vector<ConfigError>{{file, 0, 0, text.error()}});
  ConfigTexts texts;
  texts.push_back({file, std::move(*text)});
  ConfDReader folder(ConfDBeside(file), status.st_uid);
  folder.Read(root, texts);
  if (auto wrong = folder.TakeWrong(); !wrong.empty()) return tl::unexpected(std::move(wrong));
  return texts;
}

TomlTable JoinDocuments(std::vector<TomlTable> documents, ConfigFindings& findings) {
  TomlTable joined = std::move(documents.front());
  for (std::size_t i = 1; i < documents.size(); ++i) {
    for (TomlMember& member : documents[i]) {
      if (member.key == "trust") {
        AddTrusts(joined, member, findings);
      } else if (member.key == "rule") {
        AddRules(joined, member, findings);
      } else {
        findings.Wrong(member.key_at, fmt::format("\"{}\" has no place in conf.d: its files have "
                                                  "[trust.*] and [[rule]], and all else stands in "
                                                  "the configuration file itself",
                                                  Shown(member.key)));
      }
    }
  }
  return joined;
}

}  // namespace crivet::proxy
