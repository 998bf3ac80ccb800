// SPDX-License-Identifier: Apache-2.0

// The road when its ends come and go: a runtime that is away, dies, resets or says goodbye, peers
// that do not read.
#include <boost/test/unit_test.hpp>
#include <thread>

#include "proxy/road/router.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/grpc_caller.h"
#include "tests/support/road/raw_http2.h"
#include "tests/support/road/road_fixture.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using testing::Fields;
using testing::GrpcCaller;
using testing::RawHttp2;
using testing::RoadFixture;
using Role = RawHttp2::Role;
using Clock = std::chrono::steady_clock;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kEvents[] = "/runtime.v1.RuntimeService/GetContainerEvents";

const Fields kHeaders = {{":status", "200"}, {"content-type", "application/grpc"}};
const Fields kOk = {{"grpc-status", "0"}};

// A router, and the raw ends of one connection through it with one call in flight.
struct RawRoad : RoadFixture {
  RawRoad() : client(Role::kClient, RawHttp2::Connect(path())), server(Role::kServer, OwnedFd()) {}

  // Opens a call; returns its stream on each side.
  std::pair<std::int32_t, std::int32_t> OpenCall(RawHttp2::Ending ending = RawHttp2::Ending::kEnd) {
    const auto at_client = client.Call(kEvents, "x", ending);
    client.RunUntil([] { return false; }, 5ms);
    if (!accepted) {
      accepted = true;
      server.Restart(Role::kServer, AcceptFromRouter(), server_windows);
    }
    const auto at_server = at_client;  // both sides count 1, 3, 5, …
    Both([&] { return !server.stream(at_server).header_blocks.empty(); });
    return {at_client, at_server};
  }

  // Runs both ends until `done`.
  bool Both(const std::function<bool()>& done, std::chrono::milliseconds timeout = 10s) {
    const auto end = Clock::now() + timeout;
    while (!done()) {
      if (Clock::now() > end) return false;
      if (!client.closed()) client.RunUntil(done, 2ms);
      if (!server.closed()) server.RunUntil(done, 2ms);
    }
    return true;
  }

  RawHttp2::Windows server_windows = RawHttp2::Windows::kOpen;
  bool accepted = false;
  RawHttp2 client;
  RawHttp2 server;
};

struct RawRuntimeRoad : RawRoad {
  RawRuntimeRoad() { ListenAsRuntime(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(Away)

BOOST_AUTO_TEST_CASE(RuntimeMissing_IsUnavailableInBoundedTime_ConnectionIsKept) {
  RoadFixture road({}, {.upstream_patience = 120ms, .upstream_retry = 20ms});
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  const auto began = Clock::now();
  const auto first = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(first).ended; }));
  BOOST_TEST((Clock::now() - began >= 120ms));
  BOOST_TEST(client.stream(first).Field("grpc-status") == "14");
  BOOST_TEST(client.stream(first).header_blocks.size() == 1u);
  BOOST_TEST(client.stream(first).Field("grpc-message").find(road.runtime_path()) !=
             std::string::npos);
  BOOST_TEST((road.router().Snapshot().upstream == UpstreamState::kDown));

  road.StartRuntime();
  const auto second = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(second).ended; }, 1s));
  BOOST_TEST(client.stream(second).Field("grpc-status") == "0");
  BOOST_TEST((road.router().Snapshot().upstream == UpstreamState::kUp));
}

BOOST_AUTO_TEST_CASE(RuntimeMissing_SameErrorEveryTime) {
  RoadFixture road({}, {.upstream_patience = 20ms, .upstream_retry = 10ms});
  GrpcCaller client(road.path());
  const auto first = client.Unary(kVersion, "x");
  BOOST_TEST((first.status == client.Unary(kVersion, "x").status));
}

BOOST_AUTO_TEST_CASE(RuntimeComesWhileACallWaits_CallIsAnswered) {
  RoadFixture road({}, {.upstream_patience = 30s, .upstream_retry = 10ms});
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  const auto stream = client.Call(kVersion, std::string(300'000, 'w'));
  BOOST_TEST(!client.RunUntil([&] { return client.stream(stream).ended; }, 50ms));
  road.StartRuntime();
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_TEST(client.stream(stream).body.size() == 300'005u);
}

BOOST_AUTO_TEST_CASE(DeadlinePassesWhileACallWaits_IsDeadlineExceeded) {
  RoadFixture road({}, {.upstream_patience = 30s, .upstream_retry = 1s});
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  const auto stream = client.Request({{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", kVersion},
                                      {":authority", "localhost"},
                                      {"grpc-timeout", "80m"}},
                                     "");
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }, 900ms));
  BOOST_TEST(client.stream(stream).Field("grpc-status") == "4");
}

BOOST_AUTO_TEST_CASE(WaitingCall_Cancelled_IsForgotten) {
  RoadFixture road({}, {.upstream_patience = 30s, .upstream_retry = 10ms});
  RawHttp2 client(Role::kClient, RawHttp2::Connect(road.path()));
  const auto stream = client.Call(kVersion);
  client.RunUntil([] { return false; }, 10ms);
  client.Reset(stream, NGHTTP2_CANCEL);
  client.Ping();
  BOOST_REQUIRE(client.RunUntil([&] { return client.pongs() == 1; }));
  // The answer to a ping may leave before the call is counted as ended.
  while (road.router().Snapshot().calls_open != 0) std::this_thread::yield();
  road.StartRuntime();
  const auto next = client.Call(kVersion);
  BOOST_TEST(client.RunUntil([&] { return client.stream(next).ended; }));
}

BOOST_AUTO_TEST_CASE(RuntimeRestarts_FirstCallAfterwardsSucceedsWithinASecond) {
  RoadFixture road;
  road.StartRuntime();
  RawHttp2 before(Role::kClient, RawHttp2::Connect(road.path()));
  const auto first = before.Call(kVersion);
  BOOST_REQUIRE(before.RunUntil([&] { return before.stream(first).ended; }));
  road.StopRuntime();
  BOOST_TEST(before.RunUntilClosed());
  road.StartRuntime();
  const auto began = Clock::now();
  RawHttp2 after(Role::kClient, RawHttp2::Connect(road.path()));
  const auto second = after.Call(kVersion);
  BOOST_REQUIRE(after.RunUntil([&] { return after.stream(second).ended; }));
  BOOST_TEST(after.stream(second).Field("grpc-status") == "0");
  BOOST_TEST((Clock::now() - began < 1s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(Endings, RawRuntimeRoad)

BOOST_AUTO_TEST_CASE(RuntimeDies_ConnectionToTheClientDies) {
  OpenCall();
  server.Close();
  BOOST_TEST(client.RunUntilClosed());
}

BOOST_AUTO_TEST_CASE(RuntimeAnswersAndDies_TheAnswerArrivesFirst) {
  const auto [at_client, at_server] = OpenCall();
  server.Respond(at_server, kHeaders, std::string(100'000, 'a'), kOk);
  server.RunUntil([&] { return server.stream(at_server).closed; });
  server.Close();
  BOOST_TEST(client.RunUntilClosed());
  BOOST_TEST(client.stream(at_client).ended);
  BOOST_TEST(client.stream(at_client).body.size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(RuntimeSaysGoaway_TheClientHearsItAndItsCallGoesOn) {
  const auto [at_client, at_server] = OpenCall();
  server.Goaway(NGHTTP2_NO_ERROR, "max_age");
  BOOST_REQUIRE(Both([&] { return client.goaway().has_value(); }));
  BOOST_TEST(*client.goaway() == 0u);
  BOOST_TEST(client.goaway_debug() == "max_age");
  server.Respond(at_server, kHeaders, "late", kOk);
  const auto id = at_client;
  BOOST_TEST(Both([&] { return client.stream(id).ended; }));
  BOOST_TEST(client.stream(at_client).body == "late");
}

BOOST_AUTO_TEST_CASE(RuntimeResets_WithTheSameCode) {
  const auto [at_client, at_server] = OpenCall();
  server.Reset(at_server, NGHTTP2_ENHANCE_YOUR_CALM);
  const auto id = at_client;
  BOOST_REQUIRE(Both([&] { return client.stream(id).reset.has_value(); }));
  BOOST_TEST(*client.stream(at_client).reset == std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM});
}

BOOST_AUTO_TEST_CASE(RuntimeSendsAMessageAndResets_TheMessageArrivesFirst) {
  const auto [at_client, at_server] = OpenCall();
  server.Respond(at_server, kHeaders, "message", {});
  server.RunUntil([&] { return nghttp2_session_want_write(server.session()) == 0; });
  server.RunUntil([] { return false; }, 1ms);
  server.Reset(at_server, NGHTTP2_INTERNAL_ERROR);
  const auto id = at_client;
  BOOST_REQUIRE(Both([&] { return client.stream(id).reset.has_value(); }));
  BOOST_TEST(client.stream(at_client).body == "message");
}

BOOST_AUTO_TEST_CASE(ClientResets_WithTheSameCode) {
  const auto [at_client, at_server] = OpenCall();
  client.Reset(at_client, NGHTTP2_CANCEL);
  const auto id = at_server;
  BOOST_REQUIRE(Both([&] { return server.stream(id).reset.has_value(); }));
  BOOST_TEST(*server.stream(at_server).reset == std::uint32_t{NGHTTP2_CANCEL});
}

BOOST_AUTO_TEST_CASE(RuntimeAnswersEarly_TheAnswerArrivesBeforeTheStop) {
  const auto [at_client, at_server] = OpenCall(RawHttp2::Ending::kOpen);
  server.Respond(at_server, kHeaders, "enough", kOk);
  const auto id = at_client;
  BOOST_REQUIRE(Both([&] { return client.stream(id).ended; }));
  server.Reset(at_server, NGHTTP2_NO_ERROR);
  BOOST_REQUIRE(Both([&] { return client.stream(id).reset.has_value(); }));
  BOOST_TEST(client.stream(at_client).body == "enough");
  BOOST_TEST(client.stream(at_client).Field("grpc-status") == "0");
  BOOST_TEST(*client.stream(at_client).reset == 0u);
}

BOOST_AUTO_TEST_CASE(InterimHeaders_ArePassedOn) {
  const auto [at_client, at_server] = OpenCall();
  server.Interim(at_server, {{":status", "103"}, {"link", "x"}});
  server.Respond(at_server, kHeaders, "body", kOk);
  const auto id = at_client;
  BOOST_REQUIRE(Both([&] { return client.stream(id).ended; }));
  BOOST_REQUIRE(client.stream(at_client).header_blocks.size() == 3u);
  BOOST_TEST(client.stream(at_client).Field(":status") == "103");
  BOOST_TEST(client.stream(at_client).body == "body");
}

BOOST_AUTO_TEST_CASE(Ping_IsAnsweredHere) {
  OpenCall();
  for (int i = 0; i < 20; ++i) client.Ping();
  BOOST_TEST(Both([&] { return client.pongs() == 20; }));
  server.RunUntil([] { return false; }, 20ms);
  BOOST_TEST(server.pings() == 0);
}

BOOST_AUTO_TEST_CASE(Headers_CrossAsTheyAre) {
  const Fields sent = {{":method", "POST"},
                       {":scheme", "http"},
                       {":path", kEvents},
                       {":authority", "/run/containerd/containerd.sock"},
                       {"user-agent", "grpc-go/1.60.1"},
                       {"content-type", "application/grpc"},
                       {"te", "trailers"},
                       {"grpc-timeout", "1999999u"},
                       {"grpc-accept-encoding", "gzip"},
                       {"x-empty", ""},
                       {"x-twice", "1"},
                       {"x-twice", "2"}};
  client.Request(sent, "");
  client.RunUntil([] { return false; }, 5ms);
  server.Restart(Role::kServer, AcceptFromRouter());
  BOOST_REQUIRE(Both([&] { return server.stream(1).ended; }));
  BOOST_REQUIRE(server.stream(1).header_blocks.size() == 1u);
  BOOST_TEST((server.stream(1).header_blocks[0] == sent));
}

BOOST_AUTO_TEST_CASE(ClientThatDoesNotRead_HoldsTheRuntimeBack) {
  OpenCall();
  client.Restart(Role::kClient, RawHttp2::Connect(path()), RawHttp2::Windows::kShut);
  const auto slow = client.Call(kEvents);
  client.RunUntil([] { return false; }, 5ms);
  server.Restart(Role::kServer, AcceptFromRouter());
  BOOST_REQUIRE(Both([&] { return !server.stream(1).header_blocks.empty(); }));
  server.Respond(1, kHeaders, std::string(64 << 20, 's'), kOk);
  Both([] { return false; }, 500ms);
  BOOST_TEST(client.stream(slow).body.size() == 65'535u);
  // What the router took is at most its window; the rest is still the runtime's.
  BOOST_TEST(nghttp2_session_get_stream_remote_window_size(server.session(), 1) == 0);
  BOOST_TEST(nghttp2_session_get_remote_window_size(server.session()) >= 0);
  client.OpenWindows();
  BOOST_REQUIRE(Both([&] { return client.stream(slow).ended; }, 60s));
  BOOST_TEST(client.stream(slow).body.size() == std::size_t{64} << 20);
}

BOOST_AUTO_TEST_CASE(RuntimeThatDoesNotRead_HoldsTheClientBack) {
  server_windows = RawHttp2::Windows::kShut;
  OpenCall();
  const auto large = client.Call(kEvents, std::string(64 << 20, 'l'));
  Both([] { return false; }, 500ms);
  BOOST_TEST(nghttp2_session_get_stream_remote_window_size(client.session(), large) == 0);
  server.OpenWindows();
  BOOST_REQUIRE(Both([&] { return server.stream(large).ended; }, 60s));
  BOOST_TEST(server.stream(large).body.size() == (std::size_t{64} << 20) + 5);
}

BOOST_AUTO_TEST_CASE(CancelledLargeAnswers_GiveTheirWindowBack) {
  // Each answer stops in the router, unread; without the credit the connection would jam.
  for (int i = 0; i < 12; ++i) {
    const auto [at_client, at_server] = OpenCall();
    server.Respond(at_server, kHeaders, std::string(3 << 20, 'c'), kOk);
    Both([] { return false; }, 30ms);
    client.Reset(at_client, NGHTTP2_CANCEL);
    const auto id = at_server;
    Both([&] { return server.stream(id).closed; });
  }
  const auto [at_client, at_server] = OpenCall();
  server.Respond(at_server, kHeaders, std::string(3 << 20, 'd'), kOk);
  const auto id = at_client;
  BOOST_TEST(Both([&] { return client.stream(id).ended; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
