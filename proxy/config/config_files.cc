// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace crivet::proxy {
namespace {

constexpr std::size_t kMaxNamedFileBytes = 4 * 1024 * 1024;

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

tl::unexpected<std::string> LastError() {
  return tl::unexpected<std::string>("cannot be read: " + std::generic_category().message(errno));
}

}  // namespace

OwnedFd OpenUnder(const std::string& root, const std::string& path, int flags) {
  if (root.empty()) return OwnedFd(open(path.c_str(), kFlags | flags));
  const OwnedFd folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return {};
  open_how how{};
  how.flags = static_cast<unsigned>(kFlags | flags);
  how.resolve = RESOLVE_IN_ROOT;
  return OwnedFd(
      static_cast<int>(syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof(how))));
}

Valued<std::string> ReadOpened(const OwnedFd& file, Secrecy secrecy) {
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return LastError();
  if (!S_ISREG(status.st_mode)) return tl::unexpected<std::string>("is not a regular file");
  if (secrecy == Secrecy::kSecret && (status.st_mode & S_IRWXO) != 0) {
    return tl::unexpected<std::string>(
        "holds a secret and is open to everybody: chmod o= that file");
  }
  std::string content;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t n = read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return LastError();
    if (n == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(n));
    if (content.size() > kMaxNamedFileBytes) {
      return tl::unexpected<std::string>("is larger than 4 MiB");
    }
  }
}

Valued<std::string> ReadNamedFile(const std::string& path, Secrecy secrecy) {
  return ReadFileUnder({}, path, secrecy);
}

Valued<std::string> ReadFileUnder(const std::string& root, const std::string& path,
                                  Secrecy secrecy) {
  return ReadOpened(OpenUnder(root, path, 0), secrecy);
}

bool SamePlace(const std::string& a, const std::string& b) {
  std::error_code error;
  const auto place_a = std::filesystem::weakly_canonical(a, error);
  if (error) return a == b;
  const auto place_b = std::filesystem::weakly_canonical(b, error);
  if (error) return a == b;
  return place_a == place_b;
}

}  // namespace crivet::proxy
