// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust {

/// FileSystem is the few calls that the store makes, so that a test can let each of them fail, or
/// cut the power after it. Names are single components; nothing follows a symbolic link. Calls
/// return a descriptor, a count or 0, or -errno. Thread-safe.
class FileSystem {
 public:
  struct Facts {
    std::uint64_t inode = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    uid_t owner = 0;
    mode_t mode = 0;
    friend bool operator==(const Facts&, const Facts&) = default;
  };

  virtual ~FileSystem() = default;

  /// `path` may have several components here, and only here.
  virtual int OpenPath(const std::string& path) = 0;
  virtual int OpenFolder(int folder, const std::string& name) = 0;
  virtual int OpenToRead(int folder, const std::string& name) = 0;
  /// The file must not exist; it gets mode 0600 and, where root runs, the folder's owner.
  virtual int CreateToWrite(int folder, const std::string& name) = 0;
  /// Opens a file to lock it; makes it where it does not exist.
  virtual int OpenToLock(int folder, const std::string& name) = 0;
  virtual int TryLock(int file) = 0;
  virtual void Close(int descriptor) = 0;

  virtual ssize_t Read(int file, char* into, std::size_t size) = 0;
  virtual ssize_t Write(int file, std::string_view bytes) = 0;
  virtual int Sync(int descriptor) = 0;

  virtual int MakePath(const std::string& path) = 0;  ///< mode 0700
  virtual int MakeFolder(int folder, const std::string& name) = 0;
  virtual int Rename(int folder, const std::string& from, const std::string& to) = 0;
  virtual int Unlink(int folder, const std::string& name) = 0;
  virtual int RemoveFolder(int folder, const std::string& name) = 0;
  virtual int Restrict(int folder) = 0;  ///< to mode 0700

  virtual int Stat(int descriptor, Facts& facts) = 0;
  virtual int StatAt(int folder, const std::string& name, Facts& facts) = 0;
  virtual int List(int folder, std::vector<std::string>& names) = 0;

  /// The operating system's.
  static FileSystem& Posix();
};

}  // namespace crivet::trust
