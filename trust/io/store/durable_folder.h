// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/base/result.h"
#include "trust/io/store/file_system.h"

namespace crivet::trust {

/// DurableFolder is an open folder whose files are replaced whole: at every moment, a power cut
/// included, a name shows what it showed before or what was written last. Move-only; one thread at
/// a time writes.
class DurableFolder {
 public:
  DurableFolder(FileSystem& files, int descriptor) : files_(&files), descriptor_(descriptor) {}
  DurableFolder(DurableFolder&& other) noexcept
      : files_(other.files_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  DurableFolder& operator=(DurableFolder&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~DurableFolder() {
    if (descriptor_ >= 0) files_->Close(descriptor_);
  }

  int descriptor() const { return descriptor_; }

  /// A regular file's content. Nothing (and no error) where there is no such file; kState where it
  /// cannot be read, is larger than `max_bytes` or no regular file.
  Result<std::optional<std::string>> Read(const std::string& name, std::size_t max_bytes) const;

  /// The content is on the disk when this returns; the name shows it, durably only after Sync.
  Result<void> Replace(const std::string& name, std::string_view bytes);

  /// Makes the names durable.
  Result<void> Sync();

  /// Best effort: what cannot be listed or removed stays.
  std::vector<std::string> Names() const;
  void Remove(const std::string& name);

 private:
  Result<void> WriteNew(const std::string& name, std::string_view bytes);

  FileSystem* files_;
  int descriptor_;
};

/// `what: reason`, the reason being what errno says in the C locale.
tl::unexpected<Error> StorageFailure(const std::string& what, int negative_errno);

}  // namespace crivet::trust
