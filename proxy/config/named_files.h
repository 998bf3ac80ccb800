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

  /// Whether it may say something else by now.
  bool MayHaveChanged(const std::string& root) const;
};

/// NamedFiles reads what trusts and rules name, each file once, so that all that is read of one
/// configuration saw one content. Not thread-safe.
class NamedFiles {
 public:
  /// `root` is as ReadFileUnder's. What is in `known` is taken as it is and not read.
  explicit NamedFiles(std::string root, std::vector<NamedFile> known = {})
      : root_(std::move(root)), known_(std::move(known)) {}

  const std::string& root() const { return root_; }
  /// The error is ReadFileUnder's.
  Valued<std::string> Read(const std::string& path);
  /// Every file that was asked for and could be read, in that order.
  std::vector<NamedFile> Take() { return std::move(read_); }

 private:
  std::string root_;
  std::vector<NamedFile> known_;
  std::vector<NamedFile> read_;
};

}  // namespace crivet::proxy
