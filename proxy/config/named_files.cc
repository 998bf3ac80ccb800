// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/named_files.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "proxy/config/config_files.h"

namespace crivet::proxy {
namespace {

// A file's times move with the kernel's ticks; those of some file systems with whole seconds.
constexpr std::int64_t kSettledAfterNs = 2'000'000'000;

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileStamp> StampOf(const OwnedFd& file) {
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return std::nullopt;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t changed = Nanoseconds(status.st_ctim);
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = status.st_size,
                   .modified_ns = Nanoseconds(status.st_mtim),
                   .changed_ns = changed,
                   .settled = changed + kSettledAfterNs < Nanoseconds(now)};
}

const NamedFile* Find(const std::vector<NamedFile>& files, const std::string& path) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const NamedFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

Valued<std::string> ContentOf(const NamedFile& file) {
  if (!file.unreadable.empty()) return tl::unexpected(file.unreadable);
  return file.content;
}

}  // namespace

std::optional<FileStamp> StampOf(const std::string& root, const std::string& path) {
  return StampOf(OpenUnder(root, path, 0));
}

bool NamedFile::MayHaveChanged(const std::string& root) const {
  return (stamp && !stamp->settled) || StampOf(root, path) != stamp;
}

Valued<std::string> NamedFiles::Read(const std::string& path) {
  if (const NamedFile* file = Find(read_, path)) return ContentOf(*file);
  if (const NamedFile* file = Find(known_, path)) return ContentOf(read_.emplace_back(*file));
  const OwnedFd opened = OpenUnder(root_, path, 0);
  NamedFile file{path, StampOf(opened), ""};
  auto content = ReadOpened(opened, Secrecy::kPublic);
  if (content) {
    file.content = *content;
  } else {
    file.unreadable = content.error();
  }
  read_.push_back(std::move(file));
  return content;
}

bool NamedFiles::SetAside(const std::string& path, const std::string& what) {
  const auto file = std::find_if(read_.begin(), read_.end(),
                                 [&](const NamedFile& one) { return one.path == path; });
  if (file == read_.end()) return false;
  if (strictness_ != Strictness::kStart && file->set_aside.empty()) return false;
  // It may be named twice, for two ends: the first that fails is told.
  if (file->set_aside.empty()) file->set_aside = what;
  return true;
}

}  // namespace crivet::proxy
