// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "proxy/config/config.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// TakeDaemonRights gives root's rights up, for good, for those of the daemon's user, to whom the
/// state folder belongs: what root would do there, in the folder of the audit log and at the admin
/// socket is then what that user may do itself, and what is made there is that user's. Whoever has
/// become that user, and puts links and FIFOs in the way, leads nobody anywhere else. Does nothing
/// where root owns the folder, where it is not there, and for everybody but root. kState where the
/// rights cannot be changed. While there is one thread.
trust::Result<void> TakeDaemonRights(const Config& config);

}  // namespace crivet::proxy
