// SPDX-License-Identifier: Apache-2.0
#include "tests/support/road/road_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace crivet::proxy::testing {

RoadFixture::RoadFixture(MethodTable::Options methods, RouterLimits limits,
                         MessageBudget::Limits messages) {
  char name[] = "/tmp/crivet-road-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = name;
  gate_ = std::make_unique<FakeRuntime>("");
  auto connect_gate = [this](const PeerCredentials& client) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    const std::lock_guard lock(gate_mutex_);
    last_gate_client_ = client;
    gate_->Adopt(OwnedFd(ends[0]));
    return ends[1];
  };
  auto listener = Listener::Bind(path(), runtime_path());
  if (!listener) throw std::runtime_error(listener.error().detail);
  auto router = Router::Create(
      {.listener = *std::move(listener),
       .upstream = runtime_path(),
       .image_upstream = "",
       .methods = std::make_shared<MethodTable>(*MethodTable::Create(std::move(methods))),
       .connect_gate = connect_gate,
       .limits = limits,
       .budget = std::make_shared<MessageBudget>(messages)});
  if (!router) throw std::runtime_error(router.error().detail);
  router_ = *std::move(router);
  thread_ = std::thread([this] {
    thread_id_ = ::gettid();
    router_->Run();
  });
}

RoadFixture::~RoadFixture() {
  if (thread_.joinable()) StopRouter(std::chrono::milliseconds(0));
  router_.reset();
  runtime_.reset();
  gate_.reset();
  std::filesystem::remove_all(folder_);
}

FakeRuntime& RoadFixture::StartRuntime() {
  runtime_ = std::make_unique<FakeRuntime>(runtime_path());
  return *runtime_;
}

void RoadFixture::StopRuntime() { runtime_.reset(); }

void RoadFixture::ListenAsRuntime() {
  auto listener = Listener::Bind(runtime_path(), "");
  if (!listener) throw std::runtime_error(listener.error().detail);
  raw_listener_ = std::make_unique<Listener>(*std::move(listener));
}

OwnedFd RoadFixture::AcceptFromRouter() {
  pollfd ready{raw_listener_->fd(), POLLIN, 0};
  Listener::Accepted accepted;
  if (::poll(&ready, 1, 10'000) == 1) raw_listener_->Accept(accepted);
  return std::move(accepted.fd);
}

void RoadFixture::ReplaceGate() {
  auto fresh = std::make_unique<FakeRuntime>("");
  {
    const std::lock_guard lock(gate_mutex_);
    gate_.swap(fresh);
  }
  fresh.reset();
}

long RoadFixture::Sleeps() const {
  std::ifstream status("/proc/self/task/" + std::to_string(thread_id_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("voluntary_ctxt_switches:")) return std::stol(line.substr(24));
  }
  return -1;
}

void RoadFixture::StopRouter(std::chrono::milliseconds drain) {
  router_->Stop(drain);
  thread_.join();
}

}  // namespace crivet::proxy::testing
