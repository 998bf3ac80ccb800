// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/client_callback.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/road/listener.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/map_entries.h"
#include "proxy/runtime/upstream.h"
#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/road/raw_http2.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";

struct Road : GateFixture {
  Road() {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    runtime.Push(kWeb, good);
    decider.Sign(kWeb, good.digest);
  }
  grpc::Status PullWith(grpc::ClientContext& context) {
    cri::PullImageResponse response;
    return images->PullImage(&context, PullRequest(kWeb), &response);
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
};

// Whether an answer came without initial metadata of its own, as a failure does.
class TrailersOnlyProbe : public grpc::ClientUnaryReactor {
 public:
  TrailersOnlyProbe(cri::ImageService::Stub& stub, const std::string& image) {
    request_.mutable_image()->set_image(image);
    stub.async()->PullImage(&context_, &request_, &response_, this);
    StartCall();
  }
  void OnReadInitialMetadataDone(bool ok) override { has_initial_metadata_ = ok; }
  void OnDone(const grpc::Status&) override { ended_.set_value(has_initial_metadata_); }
  bool IsTrailersOnly() { return !ended_.get_future().get(); }

 private:
  grpc::ClientContext context_;
  cri::PullImageRequest request_;
  cri::PullImageResponse response_;
  bool has_initial_metadata_ = false;
  std::promise<bool> ended_;
};

Detached AskForFsInfo(Upstream& upstream, std::promise<grpc::Status>& answered) {
  auto context = OwnContext(std::chrono::seconds(10));
  cri::ImageFsInfoRequest request;
  cri::ImageFsInfoResponse response;
  grpc::Status status = co_await upstream.ImageFsInfo(*context, request, response);
  answered.set_value(status);
}

template <typename Map>
std::string ValueOf(const Map& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return "";
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

// What crosses the gate is what would have crossed without it (proxy/RULES.md#fidelity).
BOOST_AUTO_TEST_SUITE(FidelityTest)

BOOST_FIXTURE_TEST_CASE(UnknownFields_SurviveTheRewrite, Road) {
  auto request = PullRequest(kWeb);
  const std::string unknown = "\xc2\x3e\x03xyz";
  request.MergeFromString(unknown);
  request.mutable_image()->MergeFromString(unknown);
  AddEntry(*request.mutable_image()->mutable_annotations(), "a", "b");
  grpc::ClientContext context;
  cri::PullImageResponse response;
  BOOST_TEST(images->PullImage(&context, request, &response).ok());
  request.mutable_image()->set_image("registry.example/acme/web@" + good.digest.ToString());
  BOOST_TEST(runtime.Calls("PullImage").at(0).request == request.SerializeAsString());
}

BOOST_FIXTURE_TEST_CASE(CallersMetadata_ReachesTheRuntime, Road) {
  grpc::ClientContext context;
  context.AddMetadata("x-text", "value");
  context.AddMetadata("x-text", "second");
  context.AddMetadata("x-raw-bin", std::string("\0\x01\xff", 3));
  BOOST_TEST(PullWith(context).ok());
  const auto call = runtime.Calls("PullImage").at(0);
  BOOST_TEST(call.metadata.count("x-text") == 2U);
  BOOST_TEST(ValueOf(call.metadata, "x-raw-bin") == std::string("\0\x01\xff", 3));
  BOOST_TEST(!call.has_deadline);
}

BOOST_FIXTURE_TEST_CASE(RuntimesMetadata_ReachesTheCaller, Road) {
  runtime.SendInitialMetadata("PullImage", {{"x-initial", "first"}});
  grpc::ClientContext context;
  BOOST_TEST(PullWith(context).ok());
  BOOST_TEST(ValueOf(context.GetServerInitialMetadata(), "x-initial") == "first");
}

BOOST_FIXTURE_TEST_CASE(RuntimesFailure_PassesWhole, Road) {
  const std::string message(60'000, 'e');
  const std::string details("\x08\x05\x12\x03why", 7);
  runtime.Fail("PullImage", {.code = grpc::PERMISSION_DENIED,
                             .message = message,
                             .details = details,
                             .trailers = {{"x-trailer", "last"}}});
  grpc::ClientContext context;
  const auto status = PullWith(context);
  BOOST_TEST(status.error_code() == grpc::PERMISSION_DENIED);
  BOOST_TEST(status.error_message() == message);
  BOOST_TEST(status.error_details() == details);
  BOOST_TEST(ValueOf(context.GetServerTrailingMetadata(), "x-trailer") == "last");
  BOOST_TEST(context.GetServerTrailingMetadata().count("grpc-status-details-bin") == 1U);
}

BOOST_FIXTURE_TEST_CASE(Failure_IsTrailersOnlyAsTheRuntimesIs, Road) {
  const auto direct = cri::ImageService::NewStub(grpc::CreateChannel(
      "unix:" + folder.path() + "/cri.sock", grpc::InsecureChannelCredentials()));
  BOOST_TEST(TrailersOnlyProbe(*direct, "registry.example/acme/web:none").IsTrailersOnly());
  BOOST_TEST(TrailersOnlyProbe(*images, "registry.example/acme/web:none").IsTrailersOnly());
  runtime.Fail("PullImage", {.code = grpc::INTERNAL, .message = "boom"});
  BOOST_TEST(TrailersOnlyProbe(*images, kWeb).IsTrailersOnly());
}

BOOST_FIXTURE_TEST_CASE(Deadline_ReachesTheRuntime, Road) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  BOOST_TEST(PullWith(context).ok());
  BOOST_TEST(runtime.Calls("PullImage").at(0).has_deadline);
}

BOOST_FIXTURE_TEST_CASE(Deadline_OfAMillisecond_IsExceeded, Road) {
  runtime.OnCall("PullImage", [](const auto& cancelled) {
    while (!cancelled()) std::this_thread::yield();
  });
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  BOOST_TEST(PullWith(context).error_code() == grpc::DEADLINE_EXCEEDED);
}

BOOST_FIXTURE_TEST_CASE(Cancellation_ReachesTheRuntimeAtOnce, Road) {
  std::promise<void> entered;
  std::promise<std::chrono::steady_clock::time_point> noticed;
  runtime.OnCall("PullImage", [&](const auto& cancelled) {
    entered.set_value();
    while (!cancelled()) std::this_thread::yield();
    noticed.set_value(std::chrono::steady_clock::now());
  });
  grpc::ClientContext context;
  auto pull = std::async(std::launch::async, [&] { return PullWith(context); });
  entered.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  context.TryCancel();
  BOOST_TEST(pull.get().error_code() == grpc::CANCELLED);
  BOOST_TEST((noticed.get_future().get() - begin < std::chrono::seconds(1)));
}

BOOST_FIXTURE_TEST_CASE(LargeRequest_Passes, Road) {
  auto request = CreateRequest(good.image_id, kWeb);
  runtime.Import(kWeb, good);
  AddEntry(*request.mutable_config()->mutable_image()->mutable_annotations(), "large",
           std::string(20 * 1024 * 1024, 'x'));
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  const auto status = runtime_stub->CreateContainer(&context, request, &response);
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(runtime.Calls("CreateContainer").at(0).request.size() ==
             request.SerializeAsString().size());
}

BOOST_FIXTURE_TEST_CASE(CompressedRequest_Passes, Road) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  BOOST_TEST(PullWith(context).ok());
}

// CRI-O tells protocols apart by it: a subtype would be reset.
BOOST_AUTO_TEST_CASE(UpstreamContentType_IsPlainGrpc) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/runtime.sock";
  auto listener = Listener::BindPrivate(path);
  BOOST_REQUIRE(listener);
  // gRPC looks after sockets while some server or call waits: in the daemon the gate's server does.
  FakeCri poller({.socket = folder.path() + "/poller.sock", .sandbox_image = ""});
  Upstream upstream(path, "");
  std::promise<grpc::Status> answered;
  AskForFsInfo(upstream, answered);
  Listener::Accepted connection;
  while (listener->Accept(connection) != Listener::AcceptOutcome::kAccepted) {
    std::this_thread::yield();
  }
  testing::RawHttp2 server(testing::RawHttp2::Role::kServer, std::move(connection.fd));
  server.Settings();
  BOOST_REQUIRE(server.RunUntil([&] { return server.stream(1).ended; }));
  BOOST_TEST(server.stream(1).Field("content-type") == "application/grpc");
  BOOST_TEST(server.stream(1).Field(":authority") == "localhost");
  server.RespondTrailersOnly(
      1, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}});
  auto status = answered.get_future();
  server.RunUntil(
      [&] { return status.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  BOOST_TEST(status.get().error_code() == grpc::NOT_FOUND);
}

// However the connection ends under a call: gRPC has words of its own for each way, as if the
// runtime had said them.
BOOST_AUTO_TEST_CASE(RuntimeThatGoesDuringACall_IsUnavailableInTheSameBytes) {
  using testing::RawHttp2;
  const std::vector<std::pair<const char*, std::function<void(RawHttp2&)>>> ends = {
      {"closes", [](RawHttp2& server) { server.Close(); }},
      {"refuses the stream", [](RawHttp2& server) { server.Reset(1, NGHTTP2_REFUSED_STREAM); }},
      {"takes no streams", [](RawHttp2& server) {
         nghttp2_submit_goaway(server.session(), NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr,
                               0);
       }}};
  for (const auto& [name, end] : ends) {
    BOOST_TEST_CONTEXT(name) {
      TemporaryFolder folder;
      const std::string path = folder.path() + "/runtime.sock";
      auto listener = Listener::BindPrivate(path);
      BOOST_REQUIRE(listener);
      // Somebody has to look after gRPC's sockets, as in the test above.
      FakeCri poller({.socket = folder.path() + "/poller.sock", .sandbox_image = ""});
      Upstream upstream(path, "");
      std::promise<grpc::Status> answered;
      AskForFsInfo(upstream, answered);
      Listener::Accepted connection;
      while (listener->Accept(connection) != Listener::AcceptOutcome::kAccepted) {
        std::this_thread::yield();
      }
      RawHttp2 server(RawHttp2::Role::kServer, std::move(connection.fd));
      server.Settings();
      BOOST_REQUIRE(server.RunUntil([&] { return server.stream(1).ended; }));
      end(server);
      auto status = answered.get_future();
      const auto is_answered = [&] {
        return status.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      };
      server.RunUntil(is_answered);
      const grpc::Status ended = status.get();
      BOOST_TEST(ended.error_code() == grpc::UNAVAILABLE);
      BOOST_TEST(ended.error_message() == "the container runtime at " + path + " is not available");
    }
  }
}

BOOST_FIXTURE_TEST_CASE(RuntimeDown_IsUnavailableInTheSameBytes, Road) {
  runtime.Stop();
  const auto status = Pull(kWeb);
  BOOST_TEST(status.error_code() == grpc::UNAVAILABLE);
  BOOST_TEST(status.error_message() ==
             "the container runtime at " + folder.path() + "/cri.sock is not available");
  BOOST_TEST(Pull(kWeb).error_message() == status.error_message());
}

BOOST_FIXTURE_TEST_CASE(RuntimeRestarts_FirstCallSucceeds, Road) {
  BOOST_TEST(Pull(kWeb).ok());
  runtime.Stop();
  BOOST_TEST(!Pull(kWeb).ok());
  runtime.Start();
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_FIXTURE_TEST_CASE(RuntimeComesBackDuringACall_CallSucceeds, Road) {
  runtime.Stop();
  auto pull = std::async(std::launch::async, [&] { return Pull(kWeb); });
  runtime.Start();
  BOOST_TEST(pull.get().ok());
}

BOOST_FIXTURE_TEST_CASE(ThousandCallsAtOnce_AllEnd, Road) {
  runtime.Import(kWeb, good);
  struct Call {
    grpc::ClientContext context;
    cri::ImageStatusRequest request;
    cri::ImageStatusResponse response;
    std::promise<grpc::Status> status;
  };
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 1000; ++i) {
    auto& call = *calls.emplace_back(std::make_unique<Call>());
    call.request.mutable_image()->set_image(kWeb);
    images->async()->ImageStatus(
        &call.context, &call.request, &call.response,
        [&call](grpc::Status status) { call.status.set_value(std::move(status)); });
  }
  for (auto& call : calls) {
    BOOST_TEST(call->status.get_future().get().ok());
    BOOST_TEST(call->response.image().id() == good.image_id);
  }
}

BOOST_FIXTURE_TEST_CASE(AuditLine_NamesThePodAndWhoCalled, Road) {
  BOOST_TEST(Pull(kWeb).ok());
  const std::string log = AuditText();
  BOOST_TEST(log.find(R"("pod":{"namespace":"shop","name":"web-0","uid":"2f1c"})") !=
             std::string::npos);
  BOOST_TEST(log.find(R"("peer":{"pid":4711,"uid":0})") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
