// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <vector>

namespace crivet::proxy {

/// InertFilter is a seccomp program under which a process can read files, compute, write to what is
/// open, and end. A closed list: whatever it does not name fails with EPERM, so that a program that
/// turns out to be something else than expected cannot bind, listen, connect, lock, make, change or
/// remove a file, start another process, or signal anybody but itself.
std::vector<sock_filter> InertFilter();

/// BecomeInert puts `filter` on the calling process, for good and for what it executes; it writes
/// the process's number into it. To be called between fork and exec: it only makes system calls.
/// False where the kernel refuses.
bool BecomeInert(std::vector<sock_filter>& filter);

}  // namespace crivet::proxy
