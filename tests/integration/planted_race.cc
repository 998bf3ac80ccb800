// SPDX-License-Identifier: Apache-2.0

// A data race on purpose, between this program's own code on a thread of gRPC's and on its main
// thread. Its test passes when ThreadSanitizer reports it: the options that keep it quiet about
// gRPC, which Debian does not instrument, must not make it blind to ours.

#include <grpc/grpc.h>

#include <atomic>

#include "proxy/runtime/call_task.h"
#include "proxy/runtime/upstream.h"

namespace crivet::proxy {
namespace {

int counter = 0;

Detached Race(std::atomic<bool>& over) {
  for (int i = 0; i < 1000; ++i) {
    co_await Elsewhere();
    ++counter;
  }
  over.store(true, std::memory_order_relaxed);
}

}  // namespace
}  // namespace crivet::proxy

int main() {
  grpc_init();
  std::atomic<bool> over{false};
  crivet::proxy::Race(over);
  while (!over.load(std::memory_order_relaxed)) ++crivet::proxy::counter;
  grpc_shutdown();
  return crivet::proxy::counter == 0 ? 1 : 0;
}
