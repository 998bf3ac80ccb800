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

}  // namespace

std::optional<FileStamp> StampOf(const std::string& root, const std::string& path) {
  return StampOf(OpenUnder(root, path, 0));
}

bool NamedFile::MayHaveChanged(const std::string& root) const {
  return (stamp && !stamp->settled) || StampOf(root, path) != stamp;
}

Valued<std::string> NamedFiles::Read(const std::string& path) {
  if (const NamedFile* file = Find(read_, path)) return file->content;
  if (const NamedFile* file = Find(known_, path)) return read_.emplace_back(*file).content;
  const OwnedFd opened = OpenUnder(root_, path, 0);
  const std::optional<FileStamp> stamp = StampOf(opened);
  auto content = ReadOpened(opened, Secrecy::kPublic);
  if (content) read_.push_back({path, stamp, *content});
  return content;
}

}  // namespace crivet::proxy
