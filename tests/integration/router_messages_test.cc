// SPDX-License-Identifier: Apache-2.0

// What the road counts of gated requests while they arrive (proxy/RULES.md#the-road).
#include <boost/test/unit_test.hpp>
#include <string>
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
using Ending = RawHttp2::Ending;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kPull[] = "/runtime.v1.ImageService/PullImage";
constexpr char kResourceExhausted[] = "8";
constexpr char kInternal[] = "13";
constexpr std::size_t kKiB = 1024;

struct Road : RoadFixture {
  Road()
      : RoadFixture({}, {}, {.message = 600 * kKiB, .total = 1200 * kKiB, .small = 2 * kKiB}),
        client(RawHttp2::Role::kClient, RawHttp2::Connect(path())) {
    StartRuntime();
  }

  static std::string Prefix(std::size_t length, char flag = 0) {
    return {flag, static_cast<char>(length >> 24), static_cast<char>(length >> 16),
            static_cast<char>(length >> 8), static_cast<char>(length)};
  }

  // A gated call that has begun with these bytes.
  std::int32_t Ask(const std::string& bytes, Ending ending = Ending::kOpen,
                   const Fields& more = {}) {
    Fields fields = {{":method", "POST"},
                     {":scheme", "http"},
                     {":path", kPull},
                     {":authority", "localhost"},
                     {"content-type", "application/grpc"},
                     {"te", "trailers"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return client.Request(fields, bytes, ending);
  }
  std::string StatusOf(std::int32_t stream) {
    BOOST_TEST(client.RunUntil([&] { return client.stream(stream).closed; }));
    return client.stream(stream).Field("grpc-status");
  }
  // A small call is answered, and so is everything that was sent before it.
  void SmallCallPasses() {
    BOOST_TEST(StatusOf(Ask(Prefix(kKiB) + std::string(kKiB, 'x'), Ending::kEnd)) == "0");
  }
  std::uint64_t Refused() {
    std::uint64_t refused = 0;
    for (const auto& method : router().Snapshot().methods) {
      refused += method.ended[static_cast<std::size_t>(CallOutcome::kRefused)];
    }
    return refused;
  }

  RawHttp2 client;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(RouterMessagesTest, Road)

BOOST_AUTO_TEST_CASE(MessageBeyondTheLimit_IsRefusedByItsFirstBytes) {
  const auto stream = Ask(Prefix(600 * kKiB + 1));
  BOOST_TEST(StatusOf(stream) == kResourceExhausted);
  BOOST_TEST(client.stream(stream).Field("grpc-message").starts_with("crivet takes requests"));
  BOOST_TEST(Refused() == 1U);
  SmallCallPasses();
}

BOOST_AUTO_TEST_CASE(LargestMessage_Passes) {
  GrpcCaller caller(path());
  const std::string message(600 * kKiB, 'm');
  BOOST_TEST(caller.Unary(kPull, message).message == message);
}

BOOST_AUTO_TEST_CASE(MessagesThatArrive_HoldNoMoreThanTheirShare) {
  const auto first = Ask(Prefix(400 * kKiB));
  SmallCallPasses();
  const auto second = Ask(Prefix(400 * kKiB));
  BOOST_TEST(StatusOf(second) == kResourceExhausted);
  BOOST_TEST(client.stream(second).Field("grpc-message").ends_with("try again"));
  BOOST_TEST(!client.stream(first).closed);
  SmallCallPasses();
}

BOOST_AUTO_TEST_CASE(MessageThatHasArrived_MakesRoom) {
  const auto first = Ask(Prefix(400 * kKiB) + std::string(400 * kKiB, 'x'));
  BOOST_TEST(client.RunUntil([&] { return client.stream(first).body.size() >= 400 * kKiB; }));
  BOOST_TEST(StatusOf(Ask(Prefix(400 * kKiB) + std::string(400 * kKiB, 'x'), Ending::kEnd)) == "0");
  BOOST_TEST(!client.stream(first).closed);
}

// It is read by nobody, but gRPC keeps some of it.
BOOST_AUTO_TEST_CASE(BytesBehindAMessage_AreHeld) {
  const auto first = Ask(Prefix(kKiB) + std::string(kKiB, 'x') + Prefix(400 * kKiB) +
                         std::string(400 * kKiB, 'x'));
  BOOST_TEST(client.RunUntil([&] { return client.stream(first).body.size() >= 400 * kKiB; }));
  BOOST_TEST(StatusOf(Ask(Prefix(400 * kKiB))) == kResourceExhausted);
}

BOOST_AUTO_TEST_CASE(CallThatIsCancelled_MakesRoom) {
  for (int i = 0; i < 5; ++i) {
    const auto stream = Ask(Prefix(400 * kKiB));
    SmallCallPasses();
    BOOST_TEST(!client.stream(stream).closed);
    client.Reset(stream, NGHTTP2_CANCEL);
    SmallCallPasses();
  }
}

BOOST_AUTO_TEST_CASE(ConnectionThatEnds_MakesRoom) {
  for (int i = 0; i < 5; ++i) {
    Ask(Prefix(400 * kKiB));
    SmallCallPasses();
    client.Restart(RawHttp2::Role::kClient, RawHttp2::Connect(path()));
    while (router().Snapshot().connections_open > 1) std::this_thread::yield();
  }
  SmallCallPasses();
}

BOOST_AUTO_TEST_CASE(PrefixInPieces_IsReadAsOne) {
  const auto stream = Ask("");
  SmallCallPasses();
  const std::string prefix = Prefix(600 * kKiB + 1);
  for (const char byte : prefix) {
    const std::string frame = {0, 0, 1, 0, 0, 0, 0, 0, static_cast<char>(stream), byte};
    BOOST_REQUIRE(client.WriteRaw(frame));
  }
  BOOST_TEST(StatusOf(stream) == kResourceExhausted);
}

BOOST_AUTO_TEST_CASE(CompressedFlag_WithoutAnEncoding_IsInternal) {
  const Fields identity = {{"grpc-encoding", "identity"}};
  const Fields gzip = {{"grpc-encoding", "gzip"}};
  BOOST_TEST(StatusOf(Ask(Prefix(1, 1) + "x", Ending::kEnd)) == kInternal);
  BOOST_TEST(StatusOf(Ask(Prefix(1, 1) + "x", Ending::kEnd, identity)) == kInternal);
  BOOST_TEST(StatusOf(Ask(Prefix(1, 2) + "x", Ending::kEnd, gzip)) == kInternal);
  BOOST_TEST(StatusOf(Ask(Prefix(1, 0) + "x", Ending::kEnd, gzip)) == "0");
}

BOOST_AUTO_TEST_CASE(EncodingThatNobodyKnows_IsUnimplemented) {
  const Fields zstd = {{"grpc-encoding", "zstd"}};
  BOOST_TEST(StatusOf(Ask(Prefix(1, 1) + "x", Ending::kEnd, zstd)) == "12");
}

BOOST_AUTO_TEST_CASE(ForwardedCalls_AreNotCounted) {
  GrpcCaller caller(path());
  const std::string message(2000 * kKiB, 'm');
  BOOST_TEST(caller.Unary(kVersion, message).message == message);
  BOOST_TEST(Refused() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
