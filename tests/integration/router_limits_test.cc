// SPDX-License-Identifier: Apache-2.0

// The road against peers that misbehave, at its limits, and when it stops.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <future>
#include <thread>

#include "proxy/road/router.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/grpc_caller.h"
#include "tests/support/road/raw_http2.h"
#include "tests/support/road/road_fixture.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using testing::CallStatus;
using testing::FakeCall;
using testing::Fields;
using testing::GrpcCaller;
using testing::RawHttp2;
using testing::RoadFixture;
using Role = RawHttp2::Role;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kEvents[] = "/runtime.v1.RuntimeService/GetContainerEvents";
constexpr char kPull[] = "/runtime.v1.ImageService/PullImage";

struct Road : RoadFixture {
  Road() { StartRuntime(); }
};

bool IsReady(std::future<void>& future) { return future.wait_for(0s) == std::future_status::ready; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(Misbehaviour, Road)

BOOST_AUTO_TEST_CASE(Http1_IsClosed) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  client.WriteRaw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  BOOST_TEST(client.RunUntilClosed());
}

BOOST_AUTO_TEST_CASE(WrongPreface_IsClosed) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  client.WriteRaw("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  BOOST_TEST(client.RunUntilClosed());
}

BOOST_AUTO_TEST_CASE(RequestWithoutPath_IsRefused) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Request({{":method", "POST"}, {":scheme", "http"}}, "");
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_TEST(client.stream(stream).Field("grpc-status") == "12");
}

// Who reads the last `:path`, not the first, would take the call for another one.
BOOST_AUTO_TEST_CASE(RepeatedPseudoHeader_IsResetAndReachesNobody) {
  std::atomic<int> calls{0};
  runtime().On(kVersion, [&](FakeCall&) -> CallStatus {
    ++calls;
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const Fields once = {
      {":method", "POST"}, {":scheme", "http"}, {":path", kVersion}, {":authority", "localhost"}};
  const Fields again = {{":path", kPull},
                        {":path", kVersion},
                        {":method", "POST"},
                        {":scheme", "http"},
                        {":authority", "other"}};
  for (const auto& field : again) {
    BOOST_TEST_CONTEXT(field.first << "=" << field.second) {
      Fields fields = once;
      fields.push_back(field);
      const auto stream = client.Request(fields, "");
      BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).closed; }));
      BOOST_TEST(client.stream(stream).reset.value_or(0) == std::uint32_t{NGHTTP2_PROTOCOL_ERROR});
      BOOST_TEST(client.stream(stream).header_blocks.empty());
    }
  }
  // The connection goes on.
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_TEST(client.stream(stream).Field("grpc-status") == "0");
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(PingFlood_EndsThatConnectionAlone) {
  RawHttp2 flooder(Role::kClient, RawHttp2::Connect(path()));
  BOOST_TEST(flooder.FloodUntilClosed([&] { flooder.Ping(); }));
  BOOST_TEST(router().Snapshot().connections_misbehaved == 1u);
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kVersion, "fine").message == "fine");
}

BOOST_AUTO_TEST_CASE(SettingsFlood_EndsThatConnectionAlone) {
  RawHttp2 flooder(Role::kClient, RawHttp2::Connect(path()));
  BOOST_TEST(flooder.FloodUntilClosed([&] { flooder.Settings(); }));
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kVersion, "fine").message == "fine");
}

BOOST_AUTO_TEST_CASE(EmptyFrameFlood_EndsThatConnectionAlone) {
  RawHttp2 flooder(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = flooder.Call(kEvents, "x", RawHttp2::Ending::kOpen);
  flooder.RunUntil([&] { return !flooder.stream(stream).body.empty(); });
  std::string frames;
  for (int i = 0; i < 1000; ++i) {
    frames += std::string("\0\0\0\0\0\0\0\0", 8) + static_cast<char>(stream);
  }
  for (int i = 0; i < 30; ++i) flooder.WriteRaw(frames);
  BOOST_TEST(flooder.RunUntilClosed());
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kVersion, "fine").message == "fine");
}

BOOST_AUTO_TEST_CASE(FrameOnStreamZero_EndsThatConnectionAndIsCounted) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  client.WriteRaw(std::string("\0\0\1\0\0\0\0\0\0x", 10));
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.goaway().value_or(0) == std::uint32_t{NGHTTP2_PROTOCOL_ERROR});
  BOOST_REQUIRE(router().Ping(5s));
  BOOST_TEST(router().Snapshot().connections_misbehaved == 1u);
}

BOOST_AUTO_TEST_CASE(AnswersThatNobodyReads_EndThatConnectionAlone) {
  RawHttp2 flooder(Role::kClient, RawHttp2::Connect(path()));
  flooder.WriteRaw(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
  // HEADERS of three indexed fields (POST, http, "/"): a refused call, of which no answer is read.
  std::uint32_t stream = 1;
  bool refused = false;
  for (int batch = 0; batch < 400 && !refused; ++batch) {
    std::string frames;
    for (int i = 0; i < 1000; ++i, stream += 2) {
      frames += std::string("\0\0\3\1\5", 5);
      for (int shift = 24; shift >= 0; shift -= 8) frames += static_cast<char>(stream >> shift);
      frames += "\x83\x86\x84";
    }
    refused = !flooder.WriteRaw(frames);
  }
  BOOST_TEST(refused);
  BOOST_REQUIRE(router().Ping(5s));
  BOOST_TEST(router().Snapshot().connections_misbehaved == 1u);
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kVersion, "fine").message == "fine");
}

BOOST_AUTO_TEST_CASE(HeadersBeyondTheLimit_EndThatCallAlone) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  Fields fields = {{":method", "POST"}, {":scheme", "http"}, {":path", kVersion}};
  for (int i = 0; i < 40; ++i) {
    fields.emplace_back("x-" + std::to_string(i), std::string(8'000, 'h'));
  }
  const auto large = client.Request(fields, "");
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(large).reset.has_value(); }));
  const auto next = client.Call(kVersion);
  BOOST_TEST(client.RunUntil([&] { return client.stream(next).ended; }));
}

BOOST_AUTO_TEST_CASE(Client_IsToldOfAtLeastAThousandStreams) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_TEST(nghttp2_session_get_remote_settings(client.session(),
                                                 NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) >= 1000u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(Limits)

BOOST_AUTO_TEST_CASE(OutOfDescriptors_WhoWaitsIsServedLater) {
  RoadFixture road;
  road.StartRuntime();
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  {
    const OwnedFd lowest_free(::dup(0));
    none.rlim_cur = static_cast<rlim_t>(lowest_free.get());
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, road.path().c_str(), sizeof address.sun_path - 1);
  const int connected =
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  while (road.router().Snapshot().accept_pauses == 0) std::this_thread::yield();
  const bool alive = road.router().Ping(5s);
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);

  BOOST_TEST(connected == 0);
  BOOST_TEST(alive);
  RawHttp2 client(Role::kClient, std::move(fd));
  const auto stream = client.Call(kVersion);
  BOOST_TEST(client.RunUntil([&] { return client.stream(stream).ended; }));
}

BOOST_AUTO_TEST_CASE(IdleRoad_DoesNotWake) {
  RoadFixture road;
  road.StartRuntime();
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_REQUIRE(road.router().Ping(5s));
  client.RunUntil([] { return false; }, 100ms);
  const long before = road.Sleeps();
  client.RunUntil([] { return false; }, 500ms);
  BOOST_TEST(road.Sleeps() == before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(Stopping, Road)

BOOST_AUTO_TEST_CASE(IdleConnection_IsToldAndClosed) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  router().Stop(10s);
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.goaway().value_or(99) == 0u);
  StopRouter(0s);
}

BOOST_AUTO_TEST_CASE(UnaryCallInFlight_IsAnswered) {
  std::promise<void> began;
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  runtime().On(kVersion, [&](FakeCall& call) -> CallStatus {
    began.set_value();
    may_go_on.wait();
    call.Read();
    call.Write("in time");
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kVersion);
  auto has_begun = began.get_future();
  BOOST_REQUIRE(client.RunUntil([&] { return IsReady(has_begun); }));
  router().Stop(20s);
  BOOST_REQUIRE(client.RunUntil([&] { return client.goaway().has_value(); }));
  go_on.set_value();
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.stream(stream).body.substr(5) == "in time");
  BOOST_TEST(client.stream(stream).Field("grpc-status") == "0");
  StopRouter(0s);
}

BOOST_AUTO_TEST_CASE(LongerThanTheDrain_EndsUnavailable) {
  runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.Write("event");
    call.WaitCancelled(60s);
    return {};
  });
  gate().On(kPull, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.WaitCancelled(60s);
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto events = client.Call(kEvents);
  const auto pull = client.Call(kPull);
  BOOST_REQUIRE(client.RunUntil([&] { return !client.stream(events).body.empty(); }));
  router().Stop(50ms);
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.stream(events).Field("grpc-status") == "14");
  BOOST_TEST(client.stream(pull).Field("grpc-status") == "14");
  StopRouter(0s);
}

BOOST_AUTO_TEST_CASE(AskedAgain_EndsSooner) {
  runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.WaitCancelled(60s);
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto events = client.Call(kEvents);
  client.RunUntil([] { return false; }, 20ms);
  router().Stop(60s);
  router().Stop(0s);
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.stream(events).Field("grpc-status") == "14");
}

BOOST_AUTO_TEST_CASE(StreamOpenedBeforeTheClientHeard_IsStillServed) {
  runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.WaitCancelled(60s);
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  client.Call(kEvents);
  client.RunUntil([] { return false; }, 20ms);
  router().Stop(20s);
  BOOST_REQUIRE(router().Ping(5s));
  // The notice is on the wire; this client has not read it.
  const auto late = client.Call(kVersion, "late");
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(late).ended; }));
  BOOST_TEST(client.stream(late).Field("grpc-status") == "0");
}

BOOST_AUTO_TEST_CASE(NewConnection_WaitsInTheQueue) {
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  StopRouter(0s);
  BOOST_TEST(bool(RawHttp2::Connect(path())));
}

BOOST_AUTO_TEST_CASE(Ping_TellsWhetherTheLoopLives) {
  BOOST_TEST(router().Ping(5s));
  StopRouter(0s);
  BOOST_TEST(!router().Ping(10ms));
}

BOOST_AUTO_TEST_CASE(Gate_Dies_ItsCallsAreUnavailableAndTheNextOneReachesItAnew) {
  std::promise<void> began;
  gate().On(kPull, [&](FakeCall& call) -> CallStatus {
    began.set_value();
    call.WaitCancelled(60s);
    return {};
  });
  RawHttp2 client(Role::kClient, RawHttp2::Connect(path()));
  const auto other = client.Call(kEvents, "x", RawHttp2::Ending::kOpen);
  const auto pull = client.Call(kPull);
  auto has_begun = began.get_future();
  BOOST_REQUIRE(
      client.RunUntil([&] { return IsReady(has_begun) && !client.stream(other).body.empty(); }));
  ReplaceGate();
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(pull).ended; }));
  BOOST_TEST(client.stream(pull).Field("grpc-status") == "14");
  const auto again = client.Call(kPull, "again");
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(again).ended; }));
  BOOST_TEST(client.stream(again).Field("grpc-status") == "0");
  BOOST_TEST(!client.stream(other).closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
