// SPDX-License-Identifier: Apache-2.0

// road_alone LISTEN UPSTREAM: crivet's road without the gate, to see what it alone costs.
#include <cstdio>
#include <utility>

#include "proxy/road/router.h"

int main(int argc, char** argv) {
  using namespace crivet::proxy;
  if (argc != 3) {
    std::fputs("usage: road_alone LISTEN UPSTREAM\n", stderr);
    return 64;
  }
  auto listener = Listener::Bind(argv[1], argv[2]);
  auto methods = MethodTable::Create({});
  if (!listener || !methods) {
    std::fprintf(stderr, "road_alone: %s\n", listener ? "" : listener.error().detail.c_str());
    return 70;
  }
  auto router = Router::Create({.listener = *std::move(listener),
                                .upstream = argv[2],
                                .image_upstream = "",
                                .methods = std::make_shared<MethodTable>(*std::move(methods)),
                                .connect_gate = {},
                                .limits = {}});
  if (!router) return 70;
  (*router)->Run();
  return 0;
}
