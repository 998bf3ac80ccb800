// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace crivet::proxy {

trust::Result<OwnedFd> OpenAuditFile(const std::string& path) {
  const auto failed = [&path](const std::string& why) {
    return trust::Fail(trust::Reason::kState, "cannot open the audit log " + path + ": " + why);
  };
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  OwnedFd file(open(path.c_str(), kFlags | O_CLOEXEC, 0640));
  if (!file) {
    const int error = errno;
    // A FIFO that nobody reads from is ENXIO.
    if (error == ELOOP || error == ENXIO) return failed("it is not a regular file");
    return failed(std::generic_category().message(error));
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return failed(std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) return failed("it is not a regular file");
  return file;
}

}  // namespace crivet::proxy
