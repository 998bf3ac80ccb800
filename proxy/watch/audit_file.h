// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "proxy/owned_fd.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// OpenAuditFile opens the audit log to append to it, and makes it with mode 0640 where it is not
/// there. It never waits, whatever stands at the path. kState for a symbolic link and for anything
/// but a regular file: who may write to the folder chooses what stands there.
trust::Result<OwnedFd> OpenAuditFile(const std::string& path);

}  // namespace crivet::proxy
