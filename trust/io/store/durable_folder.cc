// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/durable_folder.h"

#include <string.h>  // strerrordesc_np
#include <sys/stat.h>

#include <cerrno>

namespace crivet::trust {

tl::unexpected<Error> StorageFailure(const std::string& what, int negative_errno) {
  const char* const reason = strerrordesc_np(-negative_errno);
  return Fail(Reason::kState, what + ": " + (reason != nullptr ? reason : "unknown error"));
}

Result<std::optional<std::string>> DurableFolder::Read(const std::string& name,
                                                       std::size_t max_bytes) const {
  const int file = files_->OpenToRead(descriptor_, name);
  if (file == -ENOENT) return std::optional<std::string>();
  if (file < 0) return StorageFailure("cannot open " + name, file);
  const DurableFolder closes(*files_, file);  // any descriptor will do

  FileSystem::Facts facts;
  if (const int failed = files_->Stat(file, facts); failed < 0) {
    return StorageFailure("cannot examine " + name, failed);
  }
  if (!S_ISREG(facts.mode)) return Fail(Reason::kState, name + " is not a regular file");
  if (facts.size > max_bytes) return Fail(Reason::kState, name + " is too large");
  // A file that grows while it is read is cut: the checksum of whoever reads it will tell.
  std::string content(static_cast<std::size_t>(facts.size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = files_->Read(file, content.data() + size, content.size() - size);
    if (got < 0) return StorageFailure("cannot read " + name, static_cast<int>(got));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return std::optional(std::move(content));
}

Result<void> DurableFolder::WriteNew(const std::string& name, std::string_view bytes) {
  const int file = files_->CreateToWrite(descriptor_, name);
  if (file < 0) return StorageFailure("cannot create " + name, file);
  const DurableFolder closes(*files_, file);
  while (!bytes.empty()) {
    const ssize_t written = files_->Write(file, bytes);
    if (written < 0) return StorageFailure("cannot write " + name, static_cast<int>(written));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  const int synced = files_->Sync(file);
  if (synced < 0) return StorageFailure("cannot sync " + name, synced);
  return {};
}

Result<void> DurableFolder::Replace(const std::string& name, std::string_view bytes) {
  const std::string temporary = name + ".tmp";
  // Left behind by a process that was killed, or by nobody.
  files_->Unlink(descriptor_, temporary);
  if (Result<void> written = WriteNew(temporary, bytes); !written) {
    files_->Unlink(descriptor_, temporary);
    return written;
  }
  const int renamed = files_->Rename(descriptor_, temporary, name);
  if (renamed < 0) return StorageFailure("cannot rename " + temporary, renamed);
  return {};
}

Result<void> DurableFolder::Sync() {
  const int synced = files_->Sync(descriptor_);
  if (synced < 0) return StorageFailure("cannot sync the folder", synced);
  return {};
}

std::vector<std::string> DurableFolder::Names() const {
  std::vector<std::string> names;
  files_->List(descriptor_, names);
  return names;
}

void DurableFolder::Remove(const std::string& name) { files_->Unlink(descriptor_, name); }

}  // namespace crivet::trust
