// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/daemon_rights.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace crivet::proxy {

trust::Result<void> TakeDaemonRights(const Config& config) {
  if (geteuid() != 0) return {};
  struct stat folder {};
  if (stat(config.state_dir.c_str(), &folder) != 0 || folder.st_uid == 0) return {};
  const bool changed = setgroups(0, nullptr) == 0 &&
                       setresgid(folder.st_gid, folder.st_gid, folder.st_gid) == 0 &&
                       setresuid(folder.st_uid, folder.st_uid, folder.st_uid) == 0;
  if (changed) return {};
  return trust::Fail(trust::Reason::kState, "cannot take the rights of the owner of " +
                                                config.state_dir + ": " +
                                                std::generic_category().message(errno));
}

}  // namespace crivet::proxy
