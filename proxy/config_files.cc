#include "proxy/config_files.h"

#include <fcntl.h>
#include <sys/stat.h>
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
  explicit OpenFile(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<std::string> LastError() {
  return tl::unexpected<std::string>("cannot be read: " + std::generic_category().message(errno));
}

}  // namespace

Valued<std::string> ReadNamedFile(const std::string& path, Secrecy secrecy) {
  const OpenFile file(path);
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

bool SamePlace(const std::string& a, const std::string& b) {
  std::error_code error;
  const auto place_a = std::filesystem::weakly_canonical(a, error);
  if (error) return a == b;
  const auto place_b = std::filesystem::weakly_canonical(b, error);
  if (error) return a == b;
  return place_a == place_b;
}

}  // namespace crivet::proxy
