// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "trust/io/store/file_system.h"

namespace crivet::trust {

/// MemoryDisk is a file system in memory that remembers what has reached the disk: a file's content
/// by Sync of the file, a folder's names by Sync of the folder. Calls that change something are
/// steps; from any of them on the process can be dead, the disk full, or a single one can fail.
class MemoryDisk final : public FileSystem {
 public:
  MemoryDisk();

  /// What is left after the process or the machine stopped.
  enum class Crash : std::uint8_t {
    kKilled,             ///< the machine goes on: everything that was written
    kPowerLost,          ///< only what had been synced
    kPowerLostNamesOn,   ///< all names, but of the contents only what had been synced
    kPowerLostAtRandom,  ///< of the names that were not synced, some; of the contents, some
  };
  std::unique_ptr<MemoryDisk> After(Crash crash, std::uint32_t seed = 0) const;

  /// Steps so far.
  std::uint64_t steps() const;
  /// From this step on nothing is done any more.
  void DieAt(std::uint64_t step);
  /// This step fails with the error.
  void FailAt(std::uint64_t step, int error);
  /// Every step fails, until Heal.
  void FailAll(int error);
  /// No folder can be opened, until Heal.
  void FailReads(int error);
  void Heal();

  // For damage by hand; paths from the root, `a/b/c`.
  std::string ReadAt(const std::string& path) const;
  void WriteAt(const std::string& path, std::string content);
  void RemoveAt(const std::string& path);
  std::vector<std::string> NamesAt(const std::string& path) const;

  int OpenPath(const std::string& path) override;
  int OpenFolder(int folder, const std::string& name) override;
  int OpenToRead(int folder, const std::string& name) override;
  int CreateToWrite(int folder, const std::string& name) override;
  int OpenToLock(int folder, const std::string& name) override;
  int TryLock(int file) override;
  void Close(int descriptor) override;
  ssize_t Read(int file, char* into, std::size_t size) override;
  ssize_t Write(int file, std::string_view bytes) override;
  int Sync(int descriptor) override;
  int MakePath(const std::string& path) override;
  int MakeFolder(int folder, const std::string& name) override;
  int Rename(int folder, const std::string& from, const std::string& to) override;
  int Unlink(int folder, const std::string& name) override;
  int RemoveFolder(int folder, const std::string& name) override;
  int Restrict(int folder) override;
  int Stat(int descriptor, Facts& facts) override;
  int StatAt(int folder, const std::string& name, Facts& facts) override;
  int List(int folder, std::vector<std::string>& names) override;

 private:
  using Id = std::uint64_t;
  struct Node {
    bool folder = false;
    std::string content;
    std::string synced_content;
    std::map<std::string, Id> names;
    std::map<std::string, Id> synced_names;
    std::int64_t modified = 0;
  };
  struct Open {
    Id node = 0;
    std::size_t position = 0;
    bool locks = false;
  };

  std::optional<int> Step();
  Id Find(Id folder, const std::string& name) const;
  Id Walk(const std::string& path) const;
  Id Make(Id folder, const std::string& name, bool is_folder);
  int Opened(Id node);
  Facts FactsOf(Id id) const;

  mutable std::mutex mutex_;
  std::map<Id, Node> nodes_;
  std::map<int, Open> open_;
  Id next_node_ = 2;
  int next_descriptor_ = 100;
  std::int64_t ticks_ = 0;
  std::uint64_t steps_ = 0;
  std::optional<std::uint64_t> dies_at_;
  std::optional<std::pair<std::uint64_t, int>> fails_at_;
  std::optional<int> fails_always_;
  std::optional<int> fails_reads_;
};

}  // namespace crivet::trust
