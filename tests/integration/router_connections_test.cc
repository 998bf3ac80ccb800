// SPDX-License-Identifier: Apache-2.0

// How many may be connected, and who makes room.
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "proxy/road/router.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/raw_http2.h"
#include "tests/support/road/road_fixture.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using testing::CallStatus;
using testing::FakeCall;
using testing::RawHttp2;
using testing::RoadFixture;
using Role = RawHttp2::Role;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kEvents[] = "/runtime.v1.RuntimeService/GetContainerEvents";

// A stream of events that nothing ends.
void StayBusy(RoadFixture& road) {
  road.runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.Write("event");
    call.WaitCancelled(60s);
    return {};
  });
}

bool IsServed(RawHttp2& client, std::chrono::milliseconds within = 10s) {
  const auto stream = client.Call(kVersion);
  return client.RunUntil([&] { return client.stream(stream).ended; }, within) &&
         client.stream(stream).Field("grpc-status") == "0";
}

void BeBusy(RawHttp2& client) {
  const auto events = client.Call(kEvents);
  BOOST_REQUIRE(client.RunUntil([&] { return !client.stream(events).body.empty(); }));
}

// A connection that another process has made, which is what the kernel says of it for ever.
OwnedFd ConnectAsAnother(const std::string& path) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(status == 0);
  return fd;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(Connections)

BOOST_AUTO_TEST_CASE(ConnectionBeyondTheLimit_WaitsWhereAllOfItsProcessHaveCalls) {
  RoadFixture road({}, {.max_connections = 1});
  road.StartRuntime();
  StayBusy(road);
  auto first = std::make_unique<RawHttp2>(Role::kClient, RawHttp2::Connect(road.path()));
  BeBusy(*first);
  RawHttp2 second(Role::kClient, RawHttp2::Connect(road.path()));
  const auto stream = second.Call(kVersion);
  BOOST_TEST(!second.RunUntil([&] { return second.stream(stream).ended; }, 50ms));
  first.reset();
  BOOST_TEST(second.RunUntil([&] { return second.stream(stream).ended; }));
}

BOOST_AUTO_TEST_CASE(ConnectionBeyondTheLimit_TakesThePlaceOfTheOneLongestWithoutCalls) {
  RoadFixture road({}, {.max_connections = 3});
  road.StartRuntime();
  StayBusy(road);
  RawHttp2 busy(Role::kClient, RawHttp2::Connect(road.path()));
  BeBusy(busy);
  RawHttp2 longest(Role::kClient, RawHttp2::Connect(road.path()));
  BOOST_REQUIRE(IsServed(longest));
  RawHttp2 later(Role::kClient, RawHttp2::Connect(road.path()));
  BOOST_REQUIRE(IsServed(later));
  RawHttp2 next(Role::kClient, RawHttp2::Connect(road.path()));
  BOOST_TEST(IsServed(next));
  BOOST_TEST(longest.RunUntilClosed());
  BOOST_TEST(longest.goaway().value_or(99) == 0u);
  BOOST_TEST(IsServed(later));
  BOOST_TEST(IsServed(busy));
}

BOOST_AUTO_TEST_CASE(ProcessWithAllTheConnections_ShutsNobodyOut) {
  RoadFixture road({}, {.max_connections = 3});
  road.StartRuntime();
  StayBusy(road);
  std::vector<std::unique_ptr<RawHttp2>> greedy;
  for (int i = 0; i < 3; ++i) {
    greedy.push_back(std::make_unique<RawHttp2>(Role::kClient, RawHttp2::Connect(road.path())));
    BeBusy(*greedy.back());
  }
  RawHttp2 other(Role::kClient, ConnectAsAnother(road.path()));
  BOOST_TEST(IsServed(other));
  // The youngest of those that there are most of.
  BOOST_TEST(greedy.back()->RunUntilClosed());
  BOOST_TEST(IsServed(*greedy.front()));
}

BOOST_AUTO_TEST_CASE(ThreeThousandHalfOpenConnections_DelayNobody) {
  rlimit files{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  const rlimit before = files;
  files.rlim_cur = files.rlim_max;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  {
    RoadFixture road;
    road.StartRuntime();
    RawHttp2 early(Role::kClient, RawHttp2::Connect(road.path()));
    BOOST_REQUIRE(IsServed(early));
    std::vector<OwnedFd> half_open;
    for (int i = 0; i < 3000; ++i) {
      half_open.push_back(RawHttp2::Connect(road.path()));
      BOOST_REQUIRE(::send(half_open.back().get(), "PRI * HTT", 9, MSG_NOSIGNAL) == 9);
    }
    RawHttp2 late(Role::kClient, RawHttp2::Connect(road.path()));
    BOOST_TEST(IsServed(late, 2s));
    BOOST_TEST(IsServed(early, 2s));
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

BOOST_AUTO_TEST_CASE(SilentConnection_IsClosedWhenItsPatienceEnds) {
  RoadFixture road({}, {.newcomer_patience = 50ms});
  road.StartRuntime();
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  BOOST_REQUIRE(IsServed(client));
  const OwnedFd silent = RawHttp2::Connect(road.path());
  pollfd closed{silent.get(), POLLIN, 0};
  BOOST_TEST(::poll(&closed, 1, 10'000) == 1);
  BOOST_REQUIRE(road.router().Ping(5s));
  BOOST_TEST(road.router().Snapshot().connections_misbehaved == 1u);
  // Whoever has spoken may be silent for as long as it likes.
  BOOST_TEST(IsServed(client));
}

BOOST_AUTO_TEST_CASE(SilentConnectionsBeyondTheLimit_TheOldestGoes) {
  RoadFixture road({}, {.max_newcomers = 2});
  road.StartRuntime();
  std::vector<OwnedFd> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(RawHttp2::Connect(road.path()));
  pollfd oldest{silent.front().get(), POLLIN, 0};
  BOOST_TEST(::poll(&oldest, 1, 10'000) == 1);
  pollfd youngest{silent.back().get(), POLLIN, 0};
  BOOST_TEST(::poll(&youngest, 1, 50) == 0);
}

BOOST_AUTO_TEST_CASE(PrefaceInPieces_IsServed) {
  RoadFixture road;
  road.StartRuntime();
  OwnedFd fd = RawHttp2::Connect(road.path());
  const std::string preface = NGHTTP2_CLIENT_MAGIC;
  const std::string rest("\0\0\0\4\0\0\0\0\0", 9);
  for (const std::string& piece :
       {preface.substr(0, 9), preface.substr(9, 10), preface.substr(19)}) {
    BOOST_REQUIRE(::send(fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0);
    BOOST_REQUIRE(road.router().Ping(5s));
  }
  BOOST_REQUIRE(::send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL) > 0);
  // SETTINGS are its first frame.
  std::array<char, 9> header{};
  BOOST_REQUIRE(::recv(fd.get(), header.data(), header.size(), MSG_WAITALL) == 9);
  BOOST_TEST(header[3] == 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
