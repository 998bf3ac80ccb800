// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config_values.h"

namespace crivet::proxy {

/// FileStamp tells one state of a file from the next without reading it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  /// Whether it was last written so long before it was looked at that the next writing shows.
  bool settled = false;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// StampOf looks at what has that path as ReadFileUnder finds it; nothing where it cannot be
/// opened.
std::optional<FileStamp> StampOf(const std::string& root, const std::string& path);

/// NamedFile is a file that the configuration names, as it was read.
struct NamedFile {
  std::string path;
  std::optional<FileStamp> stamp;  ///< from before it was read; nothing where there was no file
  std::string content;
  std::string unreadable = {};  ///< why it could not be read; empty: it was
  /// What is wrong with it, where it was taken all the same (Strictness::kStart); empty: nothing.
  std::string set_aside = {};

  /// Whether it may say something else by now.
  bool MayHaveChanged(const std::string& root) const;
};

/// What has to be right of a configuration for it to be taken (proxy/RULES.md#files-that-change).
enum class Strictness : std::uint8_t {
  kWhole,  ///< its texts, and all files that they name
  /// As kWhole, but for files that were set aside before and have not changed since, and those with
  /// credentials, which are read when they are used.
  kRunning,
  /// Its texts. Files that cannot be used are set aside: what names them answers nothing.
  kStart,
};

/// NamedFiles reads what trusts and rules name, each file once, so that all that is read of one
/// configuration saw one content. Not thread-safe.
class NamedFiles {
 public:
  /// `root` is as ReadFileUnder's. What is in `known` is taken as it is and not read.
  explicit NamedFiles(std::string root, std::vector<NamedFile> known = {},
                      Strictness strictness = Strictness::kWhole)
      : root_(std::move(root)), known_(std::move(known)), strictness_(strictness) {}

  const std::string& root() const { return root_; }
  Strictness strictness() const { return strictness_; }
  /// The error is ReadFileUnder's.
  Valued<std::string> Read(const std::string& path);
  /// Sets a file aside that was read, or could not be, for what is wrong with it. False where it
  /// may not be: then that is an error.
  bool SetAside(const std::string& path, const std::string& what);
  /// Every file that was asked for, in that order.
  std::vector<NamedFile> Take() { return std::move(read_); }

 private:
  std::string root_;
  std::vector<NamedFile> known_;
  Strictness strictness_;
  std::vector<NamedFile> read_;
};

}  // namespace crivet::proxy
