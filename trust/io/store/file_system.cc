// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace crivet::trust {
namespace {

int OrErrno(int result) { return result < 0 ? -errno : result; }

FileSystem::Facts FactsOf(const struct stat& status) {
  return {
      .inode = status.st_ino,
      .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
      .size = static_cast<std::uint64_t>(status.st_size),
      .owner = status.st_uid,
      .mode = status.st_mode};
}

// Root works in a folder that belongs to the daemon's user: what it makes belongs there too.
int GiveToOwnerOf(int folder, int made) {
  if (geteuid() != 0) return 0;
  struct stat status {};
  if (fstat(folder, &status) != 0) return -errno;
  return OrErrno(fchown(made, status.st_uid, status.st_gid));
}

class PosixFileSystem final : public FileSystem {
 public:
  int OpenPath(const std::string& path) override {
    return OrErrno(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  int OpenFolder(int folder, const std::string& name) override {
    return OrErrno(openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  int OpenToRead(int folder, const std::string& name) override {
    // Not blocking: what stands there may be a FIFO, which the caller finds out by Stat.
    return OrErrno(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  }
  int CreateToWrite(int folder, const std::string& name) override {
    const int made = openat(folder, name.c_str(), kCreate | O_WRONLY, 0600);
    return made < 0 ? -errno : Given(folder, made);
  }
  int OpenToLock(int folder, const std::string& name) override {
    // Only what was made here is given away: the file that stands there may be another's.
    const int made = openat(folder, name.c_str(), kCreate | O_RDWR, 0600);
    if (made >= 0) return Given(folder, made);
    if (errno != EEXIST) return -errno;
    return OrErrno(openat(folder, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  }
  int TryLock(int file) override { return OrErrno(flock(file, LOCK_EX | LOCK_NB)); }
  void Close(int descriptor) override { close(descriptor); }

  ssize_t Read(int file, char* into, std::size_t size) override {
    ssize_t got = 0;
    do {
      got = read(file, into, size);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
  }
  ssize_t Write(int file, std::string_view bytes) override {
    ssize_t written = 0;
    do {
      written = write(file, bytes.data(), bytes.size());
    } while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
  }
  int Sync(int descriptor) override { return OrErrno(fsync(descriptor)); }

  int MakePath(const std::string& path) override { return OrErrno(mkdir(path.c_str(), 0700)); }
  int MakeFolder(int folder, const std::string& name) override {
    if (mkdirat(folder, name.c_str(), 0700) != 0) return -errno;
    const int made = OpenFolder(folder, name);
    if (made < 0) return made;
    const int given = Given(folder, made);
    if (given >= 0) close(given);
    return given < 0 ? given : 0;
  }
  int Rename(int folder, const std::string& from, const std::string& to) override {
    return OrErrno(renameat(folder, from.c_str(), folder, to.c_str()));
  }
  int Unlink(int folder, const std::string& name) override {
    return OrErrno(unlinkat(folder, name.c_str(), 0));
  }
  int RemoveFolder(int folder, const std::string& name) override {
    return OrErrno(unlinkat(folder, name.c_str(), AT_REMOVEDIR));
  }
  int Restrict(int folder) override { return OrErrno(fchmod(folder, 0700)); }

  int Stat(int descriptor, Facts& facts) override {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) return -errno;
    facts = FactsOf(status);
    return 0;
  }
  int StatAt(int folder, const std::string& name, Facts& facts) override {
    struct stat status {};
    if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return -errno;
    facts = FactsOf(status);
    return 0;
  }
  int List(int folder, std::vector<std::string>& names) override {
    // A descriptor of its own: reading a folder moves the position that copies share.
    const int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return -errno;
    DIR* const entries = fdopendir(own);
    if (entries == nullptr) {
      const int error = -errno;
      close(own);
      return error;
    }
    errno = 0;
    while (const dirent* entry = readdir(entries)) {
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    closedir(entries);
    return -error;
  }

 private:
  static constexpr int kCreate = O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

  static int Given(int folder, int made) {
    const int given = GiveToOwnerOf(folder, made);
    if (given == 0) return made;
    close(made);
    return given;
  }
};

}  // namespace

FileSystem& FileSystem::Posix() {
  static PosixFileSystem posix;
  return posix;
}

}  // namespace crivet::trust
