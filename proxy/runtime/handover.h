// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(CRIVET_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace crivet::proxy {

// What is written before a callback is given to gRPC is there when gRPC calls it, on whichever
// thread: its own locks see to that. Debian does not instrument gRPC, so ThreadSanitizer has to be
// told. Both do nothing in other builds.

/// HandOver marks that `object` is given away to be used on another thread.
inline void HandOver([[maybe_unused]] void* object) {
#if defined(CRIVET_THREAD_SANITIZER)
  __tsan_release(object);
#endif
}

/// TakeOver marks that `object` has come from the thread that called HandOver.
inline void TakeOver([[maybe_unused]] void* object) {
#if defined(CRIVET_THREAD_SANITIZER)
  __tsan_acquire(object);
#endif
}

}  // namespace crivet::proxy
