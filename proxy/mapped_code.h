// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace crivet::proxy {

/// Takes this process's code and constants out of its page tables. The kernel maps 64 KiB around
/// each page that is touched, so that after the start almost all of every library counts as
/// resident; what runs again comes back from the page cache, a microsecond a page. Segments that
/// can be written are left alone. Never fails, safe while other threads run. Breakpoints that a
/// debugger has set are lost.
void UnmapCode();

}  // namespace crivet::proxy
