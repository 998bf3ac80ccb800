// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/owned_fd.h"

namespace crivet::proxy {

/// NamedFileWatch reads files that trusts and rules name again once they have changed, without a
/// reload (proxy/RULES.md#files-that-change): revocation lists, keys, certificates, trusted roots.
/// One thread owns it, and looks; any number of others wait for it.
class NamedFileWatch {
 public:
  /// What is looked at without anybody waiting, so often.
  static constexpr std::chrono::seconds kPeriod{10};

  explicit NamedFileWatch(Place place);
  ~NamedFileWatch() { Close(); }
  NamedFileWatch(const NamedFileWatch&) = delete;
  NamedFileWatch& operator=(const NamedFileWatch&) = delete;

  // Of the owner.

  /// Readable while somebody waits.
  int fd() const { return somebody_waits_.get(); }
  /// The files of a configuration that was taken, as it has read them. Those that it has set aside
  /// are its problem until they have changed for the better.
  void Watch(std::vector<NamedFile> files);
  bool HasFiles() const { return !files_.empty(); }

  /// What has changed of the files.
  struct News {
    /// The same texts with what was taken, without named_files; nothing where nothing was.
    std::optional<Config> config;
    std::vector<std::string> taken;  ///< paths
    /// Why a file stays as it was, once for each reason.
    std::vector<std::string> kept;
  };
  /// Reads what has changed. A file that cannot be read, or with which `texts` would be wrong,
  /// stays as it was; the others are taken. `texts` are those of the last Watch.
  News Look(const ConfigTexts& texts);
  /// Calls those who wait, for Look has been acted on.
  void Release();
  /// Nobody will look again: whoever waits goes on.
  void Close();

  // Of any thread.

  /// Whether `then` will be called, on another thread, once what has changed is in force. Where
  /// nothing seems to have changed it will not. Looks at the disk at most once a second, reads
  /// nothing.
  bool AwaitChange(std::function<void()> then);
  /// Why files stay as they were, or are set aside.
  std::vector<std::string> Problems() const;

 private:
  struct Watched {
    NamedFile file;       ///< its content is what is in force
    std::string problem;  ///< why it is not what is on the disk, or was set aside
  };
  struct Candidate {
    std::size_t index;
    NamedFile file;
  };
  std::vector<NamedFile> InForceWith(const std::vector<Candidate>& changed) const;
  std::vector<Candidate> ReadChanged(News& news);
  void Keep(std::size_t index, std::string problem, News& news);
  void Take(const Candidate& changed, News& news);

  const Place place_;
  OwnedFd somebody_waits_;
  mutable std::mutex mutex_;
  std::vector<Watched> files_;  // written by the owner alone, under the lock
  std::vector<std::function<void()>> waiting_;
  std::chrono::steady_clock::time_point looked_at_{};
  bool may_have_changed_ = false;
  bool closed_ = false;
};

}  // namespace crivet::proxy
