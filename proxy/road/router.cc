// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/router.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/road/road_loop.h"

namespace crivet::proxy {

trust::Result<std::unique_ptr<Router>> Router::Create(Options options) {
  OwnedFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  OwnedFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wake) {
    return trust::Fail(trust::Reason::kState,
                       std::string("no descriptor for the router: ") + std::strerror(errno));
  }
  auto loop = std::make_unique<RoadLoop>(std::move(options), std::move(epoll), std::move(wake));
  return std::unique_ptr<Router>(new Router(std::move(loop)));
}

Router::Router(std::unique_ptr<RoadLoop> loop) : loop_(std::move(loop)) {}
Router::~Router() = default;

void Router::Run() { loop_->Run(); }
void Router::Stop(std::chrono::milliseconds drain) { loop_->Stop(drain); }
bool Router::Ping(std::chrono::milliseconds timeout) { return loop_->Ping(timeout); }
void Router::SetMethodTable(std::shared_ptr<const MethodTable> methods) {
  loop_->SetMethodTable(std::move(methods));
}
RoadSnapshot Router::Snapshot() const { return loop_->counters().Snapshot(); }

}  // namespace crivet::proxy
