// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "proxy/owned_fd.h"

namespace crivet::proxy {
namespace {

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;

}  // namespace

std::string ReadStateFile(const std::string& path) {
  OwnedFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat is = {};
  if (!file || fstat(file.get(), &is) != 0 || !S_ISREG(is.st_mode)) return {};
  std::string content;
  std::array<char, 64 * 1024> piece{};
  for (;;) {
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || content.size() + static_cast<std::size_t>(got) > kMaxFileBytes) return {};
    if (got == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(got));
  }
}

trust::Result<void> ReplaceStateFile(const std::string& path, std::string_view content,
                                     Against against) {
  const auto failed = [&](const char* what) {
    return trust::Fail(trust::Reason::kState,
                       fmt::format("{} {}: {}", what, path, std::strerror(errno)));
  };
  const std::string fresh = path + ".new";
  OwnedFd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!file) return failed("cannot create");
  for (std::string_view left = content; !left.empty();) {
    const ssize_t wrote = write(file.get(), left.data(), left.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return failed("cannot write");
    left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  const bool durable = against == Against::kPowerCut;
  if (durable && fsync(file.get()) != 0) return failed("cannot write");
  if (rename(fresh.c_str(), path.c_str()) != 0) return failed("cannot replace");
  if (!durable) return {};
  // The new name is durable only with its folder.
  const std::string folder = path.substr(0, path.rfind('/'));
  OwnedFd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory && fsync(directory.get()) != 0) return failed("cannot write the folder of");
  return {};
}

}  // namespace crivet::proxy
