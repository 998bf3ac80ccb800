// SPDX-License-Identifier: Apache-2.0

// container_creations ROUNDS IMAGE-ID WRITTEN LOG-ROOT CONTAINERD NAME=SOCKET=NAMESPACE...: what
// one CreateContainer takes on each of several ways to one containerd. Each round creates a
// container on every way, beginning with another one every time, in a pod of its namespace; it is
// removed at containerd's socket. Prints a line `NAME<TAB>ms` for each creation.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/kubelet/kubelet.h"

namespace {

using crivet::test::Container;
using crivet::test::CriClient;
using crivet::test::Failure;
using crivet::test::Kubelet;
using crivet::test::Pod;
using runtime::v1::RuntimeService;

struct Way {
  std::string name;
  std::unique_ptr<CriClient> client;
  std::unique_ptr<Kubelet> kubelet;
  std::string pod;
};

int Report(const Failure& failure) {
  std::fprintf(stderr, "container_creations: %s: %s\n", failure.method.c_str(),
               failure.status.error_message().c_str());
  return 70;
}

std::optional<Way> ReadWay(const std::string& text, const std::string& log_root) {
  const std::size_t socket = text.find('=');
  const std::size_t name_space = text.find('=', socket + 1);
  if (socket == std::string::npos || name_space == std::string::npos) return std::nullopt;
  Pod pod;
  pod.name_space = text.substr(name_space + 1);
  pod.name = "bench-" + pod.name_space;
  pod.uid = pod.name;
  pod.log_root = log_root;
  if (const char* parent = std::getenv("CRIVET_CGROUP_PARENT")) pod.cgroup_parent = parent;
  Way way;
  way.name = text.substr(0, socket);
  way.client = std::make_unique<CriClient>(text.substr(socket + 1, name_space - socket - 1),
                                           crivet::test::CallSettings{}, nullptr);
  way.kubelet = std::make_unique<Kubelet>(*way.client, pod);
  return way;
}

int Create(const Way& way, CriClient& containerd, const std::string& image_id,
           const Container& container) {
  const auto began = std::chrono::steady_clock::now();
  const auto id = way.kubelet->CreateContainer(way.pod, container, image_id);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  if (!id) return Report(id.error());
  std::printf("%s\t%.3f\n", way.name.c_str(), took.count());
  runtime::v1::RemoveContainerRequest remove;
  remove.set_container_id(*id);
  const auto removed = containerd.Call(&RuntimeService::Stub::RemoveContainer, remove);
  return removed ? 0 : Report({"RemoveContainer", removed.error(), {}});
}

int Measure(std::vector<Way>& ways, CriClient& containerd, long rounds, const std::string& image_id,
            Container container) {
  for (Way& way : ways) {
    const auto pod = way.kubelet->RunSandbox();
    if (!pod) return Report(pod.error());
    way.pod = *pod;
  }
  for (long round = 0; round < rounds; ++round) {
    container.name = "c" + std::to_string(round);
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const Way& way = ways[(static_cast<std::size_t>(round) + i) % ways.size()];
      if (const int failed = Create(way, containerd, image_id, container)) return failed;
    }
  }
  for (Way& way : ways) {
    if (const auto removed = way.kubelet->RemoveSandbox(way.pod); !removed) {
      return Report(removed.error());
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Way> ways;
  for (int i = 6; i < argc; ++i) {
    auto way = ReadWay(argv[i], argv[4]);
    if (!way) break;
    ways.push_back(*std::move(way));
  }
  if (argc < 7 || ways.size() != static_cast<std::size_t>(argc - 6)) {
    std::fputs(
        "usage: container_creations ROUNDS IMAGE-ID WRITTEN LOG-ROOT CONTAINERD "
        "NAME=SOCKET=NAMESPACE...\n",
        stderr);
    return 64;
  }
  CriClient containerd(argv[5], {}, nullptr);
  Container container;
  container.image = argv[3];
  return Measure(ways, containerd, std::atol(argv[1]), argv[2], container);
}
