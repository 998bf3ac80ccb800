// SPDX-License-Identifier: Apache-2.0

// Which way each call goes: by the method table, and visible in the counters.
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "proxy/road/router.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/grpc_caller.h"
#include "tests/support/road/road_fixture.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using testing::CallStatus;
using testing::FakeCall;
using testing::GrpcCaller;
using testing::RoadFixture;

constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr char kPull[] = "/runtime.v1.ImageService/PullImage";
constexpr int kUnimplemented = 12;

struct Road : RoadFixture {
  Road() { StartRuntime(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(Table, Road)

BOOST_AUTO_TEST_CASE(GatedCall_GoesToTheGateWithItsCaller) {
  gate().On(kPull, [](FakeCall& call) -> CallStatus {
    call.Read();
    call.Write("from the gate");
    return {};
  });
  GrpcCaller client(path());
  BOOST_TEST(client.Unary(kPull, "image").message == "from the gate");
  BOOST_TEST(client.Unary(kVersion, "runtime").message == "runtime");
  BOOST_TEST(last_gate_client().pid == ::getpid());
  BOOST_TEST(last_gate_client().uid == ::getuid());
}

BOOST_AUTO_TEST_CASE(UnknownService_IsUnimplementedAsAnOlderRuntimeAnswers) {
  GrpcCaller client(path());
  const auto old = client.Unary("/runtime.v1alpha2.ImageService/PullImage", "image");
  BOOST_TEST(old.status.code == kUnimplemented);
  BOOST_TEST(old.status.message == "unknown service runtime.v1alpha2.ImageService");
  const auto unknown = client.Unary("/runtime.v1.RuntimeService/Brew", "");
  BOOST_TEST(unknown.status.message == "unknown method Brew for service runtime.v1.RuntimeService");
}

BOOST_AUTO_TEST_CASE(NativeApi_RefusalNamesWhereItIs) {
  GrpcCaller client(path());
  const auto answer = client.Unary("/containerd.services.images.v1.Images/Create", "image");
  BOOST_TEST(answer.status.code == kUnimplemented);
  BOOST_TEST(answer.status.message.find(runtime_path()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(RefusedCall_WithALongBody_DoesNotJamTheConnection) {
  GrpcCaller client(path());
  const std::string body(20 << 20, 'b');
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(client.Unary("/no.Such/Method", body).status.code == kUnimplemented);
  }
  BOOST_TEST(client.Unary(kVersion, "still").message == "still");
}

BOOST_AUTO_TEST_CASE(MethodTable_CanBeReplacedWhileServing) {
  GrpcCaller client(path());
  BOOST_TEST(client.Unary("/pkg.Late/Call", "x").status.code == kUnimplemented);
  router().SetMethodTable(
      std::make_shared<MethodTable>(*MethodTable::Create({.also_forward = {"/pkg.Late/Call"}})));
  BOOST_REQUIRE(router().Ping(5s));
  BOOST_TEST(client.Unary("/pkg.Late/Call", "x").message == "x");
}

BOOST_AUTO_TEST_CASE(Counters_TellWhatWasSeenAndHowItEnded) {
  GrpcCaller client(path());
  client.Unary(kVersion, "x");
  client.Unary("/no.Such/Method", "x");
  const RoadSnapshot snapshot = router().Snapshot();
  const MethodTable table = *MethodTable::Create({});
  const auto& version = snapshot.methods[table.Find(kVersion).row];
  BOOST_TEST(version.started == 1u);
  BOOST_TEST(version.ended[static_cast<std::size_t>(CallOutcome::kAnswered)] == 1u);
  const auto& unknown = snapshot.methods[table.Find("/no.Such/Method").row];
  BOOST_TEST(unknown.ended[static_cast<std::size_t>(CallOutcome::kRefused)] == 1u);
  BOOST_TEST(snapshot.connections_open == 1u);
  BOOST_TEST(snapshot.calls_open == 0u);
  BOOST_TEST((snapshot.upstream == UpstreamState::kUp));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
