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

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

int OpenUnder(const std::string& root, const std::string& path) {
  const OpenFile folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0) return -1;
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_IN_ROOT;
  return static_cast<int>(syscall(SYS_openat2, folder.fd(), path.c_str(), &how, sizeof(how)));
}

tl::unexpected<std::string> LastError() {
  return tl::unexpected<std::string>("cannot be read: " + std::generic_category().message(errno));
}

Valued<std::string> ReadOpen(const OpenFile& file, Secrecy secrecy) {
  struct stat status {};
  if (file.fd() < 0 || fstat(file.fd(), &status) != 0) return LastError();
  if (!S_ISREG(status.st_mode)) return tl::unexpected<std::string>("is not a regular file");
  if (secrecy == Secrecy::kSecret && (status.st_mode & S_IRWXO) != 0) {
    return tl::unexpected<std::string>(
        "holds a secret and is open to everybody: chmod o= that file");
  }
  std::string content;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t n = read(file.fd(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return LastError();
    if (n == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(n));
    if (content.size() > kMaxNamedFileBytes) {
      return tl::unexpected<std::string>("is larger than 4 MiB");
    }
  }
}

}  // namespace

Valued<std::string> ReadNamedFile(const std::string& path, Secrecy secrecy) {
  return ReadOpen(OpenFile(open(path.c_str(), kFlags)), secrecy);
}

Valued<std::string> ReadFileUnder(const std::string& root, const std::string& path,
                                  Secrecy secrecy) {
  if (root.empty()) return ReadNamedFile(path, secrecy);
  return ReadOpen(OpenFile(OpenUnder(root, path)), secrecy);
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
