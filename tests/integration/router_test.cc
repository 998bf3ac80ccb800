// SPDX-License-Identifier: Apache-2.0

// The road between real gRPC ends: what a client or a runtime can see of it, which is nothing.
#include "proxy/road/router.h"

#include <boost/test/unit_test.hpp>
#include <future>
#include <random>

#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/grpc_caller.h"
#include "tests/support/road/raw_http2.h"
#include "tests/support/road/road_fixture.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using testing::CallOptions;
using testing::CallStatus;
using testing::FakeCall;
using testing::GrpcCaller;
using testing::Metadata;
using testing::RawHttp2;
using testing::RoadFixture;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kEvents[] = "/runtime.v1.RuntimeService/GetContainerEvents";

constexpr int kCancelled = 1;
constexpr int kDeadlineExceeded = 4;

// Bytes that do not compress, the same for the same size.
std::string Noise(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

bool Has(const Metadata& fields, const std::string& name, const std::string& value) {
  const auto [from, to] = fields.equal_range(name);
  return std::any_of(from, to, [&value](const auto& field) { return field.second == value; });
}

struct Road : RoadFixture {
  Road() { StartRuntime(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(Fidelity, Road)

BOOST_AUTO_TEST_CASE(Unary_IsAnswered) {
  GrpcCaller client(path());
  const auto answer = client.Unary(kVersion, "hello");
  BOOST_TEST(answer.status.code == 0, answer.status.message);
  BOOST_TEST(answer.message == "hello");
}

BOOST_AUTO_TEST_CASE(EmptyMessage_IsAnswered) {
  GrpcCaller client(path());
  const auto answer = client.Unary(kVersion, "");
  BOOST_TEST(answer.status.code == 0, answer.status.message);
}

BOOST_AUTO_TEST_CASE(Metadata_CrossesBothWays_TextAndBinary) {
  const std::string binary("\x00\xff\x01,=", 5);
  runtime().On(kVersion, [&](FakeCall& call) -> CallStatus {
    const Metadata seen = call.request_metadata();
    call.AddInitialMetadata("x-initial", "i1");
    call.AddInitialMetadata("x-initial", "i2");
    call.AddInitialMetadata("x-initial-bin", binary);
    call.AddTrailingMetadata("x-trailing-bin", binary);
    call.Read();
    call.Write(Has(seen, "x-request", "one") && Has(seen, "x-request", "two") &&
                       Has(seen, "x-request-bin", binary)
                   ? "all"
                   : "lost");
    return {};
  });
  GrpcCaller client(path());
  const auto answer = client.Unary(
      kVersion, "",
      {.metadata = {{"x-request", "one"}, {"x-request", "two"}, {"x-request-bin", binary}}});
  BOOST_TEST(answer.message == "all");
  BOOST_TEST(Has(answer.initial, "x-initial", "i1"));
  BOOST_TEST(Has(answer.initial, "x-initial", "i2"));
  BOOST_TEST(Has(answer.initial, "x-initial-bin", binary));
  BOOST_TEST(Has(answer.trailing, "x-trailing-bin", binary));
}

BOOST_AUTO_TEST_CASE(Status_CodeMessageAndDetails_CrossUntouched) {
  const CallStatus status{5, "no such thing: \"über\" 100%\n", std::string("\x08\x05\x00\x12", 4)};
  runtime().On(kVersion, [&](FakeCall& call) {
    call.Read();
    return status;
  });
  GrpcCaller client(path());
  const auto answer = client.Unary(kVersion, "");
  BOOST_TEST((answer.status == status), answer.status.message);
}

BOOST_AUTO_TEST_CASE(Status_After60KilobytesOfMessage_Crosses) {
  const std::string text(60'000, 'e');
  runtime().On(kVersion, [&](FakeCall& call) -> CallStatus {
    call.Read();
    return {2, text, ""};
  });
  GrpcCaller client(path());
  const auto answer = client.Unary(kVersion, "");
  BOOST_TEST(answer.status.code == 2);
  BOOST_TEST((answer.status.message == text));
}

BOOST_AUTO_TEST_CASE(Status_AfterMessages_KeepsThem) {
  runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.Write("one");
    call.Write("two");
    return {8, "enough", ""};
  });
  GrpcCaller client(path());
  auto stream = client.Open(kEvents);
  stream.Write("");
  stream.HalfClose();
  BOOST_TEST(stream.Read().value_or("-") == "one");
  BOOST_TEST(stream.Read().value_or("-") == "two");
  BOOST_TEST(!stream.Read().has_value());
  BOOST_TEST(stream.Finish().status.message == "enough");
}

BOOST_AUTO_TEST_CASE(Deadline_ReachesTheRuntime) {
  std::promise<std::chrono::system_clock::time_point> seen;
  runtime().On(kVersion, [&](FakeCall& call) -> CallStatus {
    seen.set_value(call.deadline());
    return {};
  });
  GrpcCaller client(path());
  const auto sent = std::chrono::system_clock::now();
  client.Unary(kVersion, "", {.timeout = 7s});
  const auto left = seen.get_future().get() - sent;
  BOOST_TEST((left > 5s && left < 9s));
}

BOOST_AUTO_TEST_CASE(Deadline_OfOneMillisecond_IsDeadlineExceeded) {
  runtime().On(kVersion, [](FakeCall& call) -> CallStatus {
    call.WaitCancelled(10s);
    return {kCancelled, "", ""};
  });
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kVersion, "", {.timeout = 1ms}).status.code == kDeadlineExceeded);
}

BOOST_AUTO_TEST_CASE(Compression_CrossesBothWays) {
  runtime().On(kVersion, [](FakeCall& call) -> CallStatus {
    call.Compress();
    const auto message = call.Read();
    call.Write(message.value_or("") + message.value_or(""));
    return {};
  });
  GrpcCaller client(path());
  const std::string message(100'000, 'c');
  const auto answer =
      client.Unary(kVersion, message, {.compression = CallOptions::Compression::kGzip});
  BOOST_TEST(answer.status.code == 0, answer.status.message);
  BOOST_TEST((answer.message == message + message));
}

BOOST_AUTO_TEST_CASE(Message_Of64Mebibytes_CrossesBothWays) {
  GrpcCaller client(path());
  const std::string message = Noise(64 << 20);
  const auto answer = client.Unary(kVersion, message);
  BOOST_TEST(answer.status.code == 0, answer.status.message);
  BOOST_TEST((answer.message == message));
}

BOOST_AUTO_TEST_CASE(BidirectionalStream_AlternatesMessages) {
  GrpcCaller client(path());
  auto stream = client.Open(kEvents);
  for (int i = 0; i < 200; ++i) {
    const std::string message = "m" + std::to_string(i);
    BOOST_REQUIRE(stream.Write(message));
    BOOST_TEST(stream.Read().value_or("-") == message);
  }
  stream.HalfClose();
  BOOST_TEST(!stream.Read().has_value());
  BOOST_TEST(stream.Finish().status.code == 0);
}

BOOST_AUTO_TEST_CASE(HalfClose_ReachesTheRuntime_BeforeItAnswers) {
  runtime().On(kVersion, [](FakeCall& call) -> CallStatus {
    int count = 0;
    while (call.Read()) ++count;
    call.Write(std::to_string(count));
    return {};
  });
  GrpcCaller client(path());
  auto stream = client.Open(kVersion);
  for (int i = 0; i < 3; ++i) stream.Write("x");
  stream.HalfClose();
  BOOST_TEST(stream.Read().value_or("-") == "3");
}

BOOST_AUTO_TEST_CASE(ServerStream_DeliversEachEventAtOnce) {
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  runtime().On(kEvents, [may_go_on](FakeCall& call) -> CallStatus {
    call.Read();
    call.Write("first");
    may_go_on.wait();
    call.Write("second");
    return {};
  });
  GrpcCaller client(path());
  auto stream = client.Open(kEvents);
  stream.Write("");
  stream.HalfClose();
  BOOST_TEST(stream.Read().value_or("-") == "first");
  go_on.set_value();
  BOOST_TEST(stream.Read().value_or("-") == "second");
}

BOOST_AUTO_TEST_CASE(InitialMetadata_ArrivesBeforeTheFirstMessage) {
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  runtime().On(kEvents, [may_go_on](FakeCall& call) -> CallStatus {
    call.AddInitialMetadata("x-early", "yes");
    call.SendHeaders();
    may_go_on.wait();
    return {};
  });
  RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kEvents);
  BOOST_TEST(client.RunUntil([&] { return client.stream(stream).Field("x-early") == "yes"; }));
  BOOST_TEST(!client.stream(stream).ended);
  go_on.set_value();
  BOOST_TEST(client.RunUntil([&] { return client.stream(stream).ended; }));
}

BOOST_AUTO_TEST_CASE(Cancel_ReachesTheRuntimeWithinMilliseconds) {
  std::promise<std::chrono::steady_clock::time_point> began;
  std::promise<std::chrono::steady_clock::time_point> cancelled;
  runtime().On(kEvents, [&](FakeCall& call) -> CallStatus {
    began.set_value(std::chrono::steady_clock::now());
    if (call.WaitCancelled(10s)) cancelled.set_value(std::chrono::steady_clock::now());
    return {kCancelled, "", ""};
  });
  GrpcCaller client(path());
  auto stream = client.Open(kEvents);
  began.get_future().wait();
  const auto at = std::chrono::steady_clock::now();
  stream.Cancel();
  auto seen = cancelled.get_future();
  BOOST_REQUIRE((seen.wait_for(5s) == std::future_status::ready));
  BOOST_TEST((seen.get() - at < 500ms));
  BOOST_TEST(stream.Finish().status.code == kCancelled);
}

BOOST_AUTO_TEST_CASE(ClientGone_CancelsItsCalls) {
  std::promise<bool> cancelled;
  std::promise<void> began;
  runtime().On(kEvents, [&](FakeCall& call) -> CallStatus {
    began.set_value();
    cancelled.set_value(call.WaitCancelled(10s));
    return {};
  });
  {
    RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
    client.Call(kEvents);
    auto has_begun = began.get_future();
    client.RunUntil([&] { return has_begun.wait_for(0s) == std::future_status::ready; });
  }
  BOOST_TEST(cancelled.get_future().get());
}

BOOST_AUTO_TEST_CASE(FiveThousandCancellations_LeaveAnotherCallAlone) {
  runtime().On(kEvents, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.WaitCancelled(60s);
    return {};
  });
  RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
  const auto kept = client.Call(kVersion, "kept", RawHttp2::Ending::kOpen);
  BOOST_REQUIRE(client.RunUntil([&] { return !client.stream(kept).body.empty(); }));
  for (int burst = 0; burst < 50; ++burst) {
    std::vector<std::int32_t> streams;
    for (int i = 0; i < 100; ++i) streams.push_back(client.Call(kEvents));
    client.RunUntil([] { return false; }, 1ms);
    for (const auto stream : streams) client.Reset(stream, NGHTTP2_CANCEL);
    BOOST_REQUIRE(client.RunUntil([&] {
      return std::all_of(streams.begin(), streams.end(),
                         [&](auto stream) { return client.stream(stream).closed; });
    }));
  }
  BOOST_TEST(!client.goaway().has_value());
  BOOST_TEST(!client.stream(kept).closed);
  const auto after = client.Call(kVersion, "after");
  BOOST_TEST(client.RunUntil([&] { return client.stream(after).ended; }));
}

BOOST_AUTO_TEST_CASE(TrailersOnly_StaysTrailersOnly) {
  runtime().On(kVersion, [](FakeCall&) -> CallStatus { return {5, "not here", ""}; });
  RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
  const auto stream = client.Call(kVersion);
  BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).ended; }));
  BOOST_TEST(client.stream(stream).header_blocks.size() == 1u);
  BOOST_TEST(client.stream(stream).body.empty());
  BOOST_TEST(client.stream(stream).Field("grpc-status") == "5");
}

BOOST_AUTO_TEST_CASE(ThousandsOfCallsAtOnce_AllAnswered) {
  RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 3000; ++i) streams.push_back(client.Call(kVersion, std::to_string(i)));
  BOOST_REQUIRE(client.RunUntil(
      [&] {
        return std::all_of(streams.begin(), streams.end(),
                           [&](auto stream) { return client.stream(stream).ended; });
      },
      60s));
  for (std::size_t i = 0; i < streams.size(); ++i) {
    BOOST_REQUIRE(client.stream(streams[i]).body.substr(5) == std::to_string(i));
    BOOST_REQUIRE(client.stream(streams[i]).Field("grpc-status") == "0");
  }
}

BOOST_AUTO_TEST_CASE(Authority_OfAnyForm_IsServed) {
  for (const char* authority : {"localhost", "/run/containerd/containerd.sock",
                                "%2Frun%2Fcontainerd%2Fcontainerd.sock", ""}) {
    RawHttp2 client(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
    const auto stream = client.Request({{":method", "POST"},
                                        {":scheme", "http"},
                                        {":path", kVersion},
                                        {":authority", authority},
                                        {"content-type", "application/grpc"},
                                        {"te", "trailers"}},
                                       std::string(5, '\0'));
    BOOST_TEST(client.RunUntil([&] { return client.stream(stream).ended; }));
    BOOST_TEST(client.stream(stream).Field("grpc-status") == "0", authority);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
