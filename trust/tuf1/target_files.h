// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/decide/published_file.h"
#include "trust/decide/refresh.h"
#include "trust/tuf1/role_search.h"

namespace crivet::trust::tuf1 {

/// Files of targets that other trusts read, by their names (trust/tuf1/FORMAT.md#files-of-targets).
/// `until` is the earliest expiry of what vouches for one.
using TargetFilesHeld = std::map<std::string, PublishedFile>;

/// EarlierFile is a file of a target that was the listed one, kept while the one of today cannot be
/// had. Nothing makes its `until` later.
struct EarlierFile {
  PublishedFile file;
  std::int64_t root = 0;  ///< the version of the root that it hung from last
};
using EarlierFiles = std::map<std::string, EarlierFile>;

/// TargetFile is a file that a demand wants: a target, by its name.
struct TargetFile {
  static constexpr std::size_t kMaxBytes = std::size_t{4} * 1024 * 1024;
  static constexpr std::size_t kMaxName = 64;

  std::string name;
  std::string reader;
  std::function<Result<void>(std::string_view)> check;

  /// Why no target that is read is called so; empty: it may be.
  static std::string WrongName(std::string_view name);
  friend bool operator==(const TargetFile& a, const TargetFile& b) {
    return a.name == b.name && a.reader == b.reader;
  }
};

/// TargetFiles gets the files that demands want, under a set that has just been verified: the one
/// that is held where it is still the listed one, else from the server. One that cannot be had, is
/// not the listed one, or is none for its reader, is left out, and holds up no other. Driven as
/// Refresh is. Not thread-safe.
class TargetFiles {
 public:
  struct Start {
    Trusted trusted;  ///< complete
    std::vector<TargetFile> wanted;
    TargetFilesHeld held;
    TimePoint now;
    Expiry expiry = Expiry::kEnforced;
    Caps caps = {};
  };
  explicit TargetFiles(Start start);

  /// Nullopt once it is over.
  std::optional<FileRequest> Wanted() const;
  void Supply(Fetched answer);

  /// With the roles that were had on the way.
  const Trusted& trusted() const { return trusted_; }
  const TargetFilesHeld& files() const { return files_; }
  /// Why the first was left out; nullopt: none was.
  const std::optional<RefreshFailure>& failure() const { return failure_; }

 private:
  const TargetFile& current() const { return start_.wanted[next_]; }
  void Next();
  void EndSearch();
  void Take(const TargetEntry& entry, const std::vector<std::string>& asked);
  Result<void> Keep(PublishedFile file);
  void Fail(const Error& error);
  void LeaveOut(RefreshFailure failure);

  const Start start_;
  Trusted trusted_;
  TargetFilesHeld files_;
  std::size_t next_ = 0;
  std::optional<RoleSearch> search_;
  /// The file that is asked for.
  struct Listed {
    Digests hashes;
    std::size_t length = 0;
    TimePoint until;
  };
  std::optional<Listed> listed_;
  std::optional<RefreshFailure> failure_;
};

/// Where a target's file lies below the address of files.
std::string PathOfTarget(std::string_view name, const Root& root, const Digests& hashes);

/// Under which name such a file is stored, and the target whose file is stored under one.
std::string StoredTarget(std::string_view name);
std::optional<std::string> TargetStoredAs(std::string_view stored_as);
/// The same of one that is not listed any more: the name says what is known of it.
std::string StoredEarlierTarget(std::string_view name, const EarlierFile& earlier);
struct EarlierTarget {
  std::string name;
  std::int64_t root = 0;
  TimePoint until;
};
std::optional<EarlierTarget> EarlierTargetStoredAs(std::string_view stored_as);

}  // namespace crivet::trust::tuf1
