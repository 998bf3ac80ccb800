// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/metadata_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

// Opens what the path names only where that is a regular file: to open a device can be to act on
// it.
int OpenRegular(const std::string& path) {
  const int found = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (found < 0) return -1;
  struct stat status {};
  int file = -1;
  if (fstat(found, &status) == 0 && S_ISREG(status.st_mode)) {
    file = open(("/proc/self/fd/" + std::to_string(found)).c_str(), O_RDONLY | O_CLOEXEC);
  }
  close(found);
  return file;
}

// Nothing where there is no such regular file, or it is larger.
std::optional<std::string> ReadRegular(const std::string& path, std::size_t max_bytes) {
  const int file = OpenRegular(path);
  if (file < 0) return std::nullopt;
  struct stat status {};
  std::optional<std::string> content;
  if (fstat(file, &status) == 0 && static_cast<std::uint64_t>(status.st_size) <= max_bytes) {
    content.emplace(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < content->size()) {
      got = read(file, content->data() + size, content->size() - size);
      if (got > 0) size += static_cast<std::size_t>(got);
    }
    content->resize(size);
  }
  close(file);
  return content;
}

}  // namespace

Fetched ReadFromFolder(const std::string& folder, const FileRequest& request) {
  for (const std::string& candidate : request.file_names) {
    std::optional<std::string> content =
        ReadRegular(std::string(folder).append("/").append(candidate), request.max_bytes);
    if (content) return *std::move(content);
  }
  return tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}});
}

}  // namespace crivet::trust
