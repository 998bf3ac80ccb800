// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/peer_link.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/road/road_bed.h"

namespace crivet::proxy {
namespace {

// Connects without blocking. Returns an empty descriptor and sets errno on failure.
OwnedFd ConnectTo(const std::string& path) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    fd.Reset();
    errno = error;
  }
  return fd;
}

bool MakeNonBlocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
         ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace

PeerLink::PeerLink(Destination destination, RoadBed& bed, SessionOwner& owner)
    : destination_(destination), bed_(bed), session_(Http2Session::Role::kClient, bed, owner) {}

PeerLink::Attempt PeerLink::TryConnect(const PeerCredentials& client) {
  if (destination_ == Destination::kGate) {
    OwnedFd fd(bed_.options().connect_gate ? bed_.options().connect_gate(client) : -1);
    if (!fd || !MakeNonBlocking(fd.get())) return Attempt::kHopeless;
    session_.Attach(std::move(fd));
    return Attempt::kConnected;
  }
  OwnedFd fd = ConnectTo(destination_ == Destination::kUpstream ? bed_.options().upstream
                                                                : bed_.options().image_upstream);
  if (!fd) {
    last_error_ = errno;
    if (destination_ == Destination::kUpstream) {
      bed_.counters().SetUpstream(UpstreamState::kDown);
    }
    return Attempt::kAgain;
  }
  if (destination_ == Destination::kUpstream) bed_.counters().SetUpstream(UpstreamState::kUp);
  session_.Attach(std::move(fd));
  return Attempt::kConnected;
}

std::string PeerLink::Complaint() const {
  switch (destination_) {
    case Destination::kGate:
      return "crivet's gate takes no calls";
    case Destination::kUpstream:
      return "the container runtime at " + bed_.options().upstream +
             " cannot be reached: " + std::strerror(last_error_);
    case Destination::kImageUpstream:
      return "the image service at " + bed_.options().image_upstream +
             " cannot be reached: " + std::strerror(last_error_);
  }
  return {};
}

}  // namespace crivet::proxy
