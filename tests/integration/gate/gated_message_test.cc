// SPDX-License-Identifier: Apache-2.0

// Requests that are more than they look like, and those that are only large
// (proxy/RULES.md#the-road).
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "proxy/runtime/map_entries.h"
#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/road/raw_http2.h"

namespace crivet::proxy {
namespace {

using testing::RawHttp2;

constexpr char kWeb[] = "registry.example/acme/web:1";
constexpr char kPullImage[] = "/runtime.v1.ImageService/PullImage";
constexpr std::chrono::seconds kPatience{60};  // of a busy machine with 64 MiB
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

enum class Format { kGzip, kZlib };

std::string Compressed(const std::string& bytes, Format format = Format::kGzip) {
  z_stream stream{};
  constexpr int kGzipHeader = 16;
  BOOST_REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED,
                             MAX_WBITS + (format == Format::kGzip ? kGzipHeader : 0), 8,
                             Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Node : GateFixture {
  explicit Node(Settings settings = Settings()) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    web = runtime.MakeManifest("layers", "configuration");
    runtime.Push(kWeb, web);
    decider.Sign(kWeb, web.digest);
  }

  std::string PullOf(std::size_t annotation, char filling = '\0') const {
    auto request = PullRequest(kWeb);
    AddEntry(*request.mutable_image()->mutable_annotations(), "large",
             std::string(annotation, filling));
    return request.SerializeAsString();
  }

  // The status of a call whose message has these bytes, with its flag set.
  std::string Answer(const std::string& encoding, const std::string& bytes) {
    RawHttp2 client(RawHttp2::Role::kClient, Connect());
    const auto stream = Ask(client, encoding, bytes);
    BOOST_REQUIRE(client.RunUntil([&] { return client.stream(stream).closed; }, kPatience));
    return client.stream(stream).Field("grpc-status");
  }

  static std::int32_t Ask(RawHttp2& client, const std::string& encoding, const std::string& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::string framed = {1, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                          static_cast<char>(size >> 8), static_cast<char>(size)};
    return client.Request({{":method", "POST"},
                           {":scheme", "http"},
                           {":path", kPullImage},
                           {":authority", "localhost"},
                           {"content-type", "application/grpc"},
                           {"grpc-encoding", encoding},
                           {"te", "trailers"}},
                          framed + bytes);
  }

  // What the runtime got of the latest call of a method.
  std::string Got(const std::string& method) const {
    const auto calls = runtime.Calls(method);
    return calls.empty() ? "nothing" : calls.back().request;
  }

  // One call with each compression that gRPC knows: what arrives, and the answer, are always those
  // of the plain one.
  template <typename Stub, typename Request, typename Response>
  void Compare(const std::string& method,
               grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Response*),
               Stub& stub, const Request& request) {
    std::string plain_request;
    std::string plain_answer;
    for (const auto compression : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
      grpc::ClientContext context;
      context.set_compression_algorithm(compression);
      Response response;
      const auto status = (stub.*call)(&context, request, &response);
      BOOST_TEST(status.ok(), method << ": " << status.error_message());
      if (compression == GRPC_COMPRESS_NONE) {
        plain_request = Got(method);
        plain_answer = response.SerializeAsString();
      }
      BOOST_TEST(Got(method) == plain_request, method << " is not what was sent");
      BOOST_TEST(response.SerializeAsString() == plain_answer);
    }
  }

  FakeCri::Manifest web{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
};

struct NodeWithSandboxImage : Node {
  NodeWithSandboxImage() : Node({.sandbox_image = "registry.example/pause:3"}) {
    decider.Allow("registry.example/pause");
    runtime.Push("registry.example/pause:3", web);
  }
};

struct NodeWithoutNativeApi : Node {
  NodeWithoutNativeApi() : Node({.native_api = FakeCri::NativeApi::kMissing}) {}
};

// Room for one message of the size that these bombs have, and for a part of another.
struct NarrowNode : Node {
  NarrowNode()
      : Node({.budget = std::make_shared<MessageBudget>(
                  MessageBudget::Limits{.message = 8 * kMiB, .total = 20 * kMiB})}) {}
};

struct Damage {
  const char* name;
  const char* encoding;
  std::string bytes;
};
std::ostream& operator<<(std::ostream& out, const Damage& damage) { return out << damage.name; }

std::vector<Damage> Damages() {
  cri::PullImageRequest request;
  request.mutable_image()->set_image(kWeb);
  const std::string message = request.SerializeAsString();
  const std::string gzip = Compressed(message);
  std::string wrong_sum = gzip;
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  return {
      {"empty", "gzip", ""},
      {"no gzip", "gzip", message},
      {"half", "gzip", gzip.substr(0, gzip.size() / 2)},
      {"without its sum", "gzip", gzip.substr(0, gzip.size() - 8)},
      {"without its last byte", "gzip", gzip.substr(0, gzip.size() - 1)},
      {"wrong sum", "gzip", wrong_sum},
      {"a byte behind it", "gzip", gzip + '\0'},
      {"a beginning behind it", "gzip", gzip + gzip.substr(0, 12)},
      {"twice", "deflate", Compressed(message, Format::kZlib) + Compressed(message, Format::kZlib)},
      {"compressed twice", "gzip", Compressed(gzip)},
      {"zlib as gzip", "gzip", Compressed(message, Format::kZlib)},
      {"gzip as zlib", "deflate", gzip},
      {"half of zlib", "deflate", Compressed(message, Format::kZlib).substr(0, 20)},
      {"no message inside", "gzip", Compressed("\xff\xff\xff")}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(GatedMessageTest)

BOOST_FIXTURE_TEST_CASE(CompressedRequests_AreThePlainOnes, NodeWithSandboxImage) {
  using Images = cri::ImageService::Stub;
  Compare("PullImage", &Images::PullImage, *images, PullRequest(kWeb));
  cri::ImageStatusRequest status;
  status.mutable_image()->set_image(kWeb);
  Compare("ImageStatus", &Images::ImageStatus, *images, status);
  cri::RunPodSandboxRequest sandbox;
  sandbox.mutable_config()->mutable_metadata()->set_namespace_("shop");
  for (const auto compression : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext run;
    run.set_compression_algorithm(compression);
    cri::RunPodSandboxResponse ran;
    BOOST_TEST(runtime_stub->RunPodSandbox(&run, sandbox, &ran).ok());
    BOOST_TEST(Got("RunPodSandbox") == sandbox.SerializeAsString());
    const auto request = CreateRequest(web.image_id, kWeb);
    grpc::ClientContext create;
    create.set_compression_algorithm(compression);
    cri::CreateContainerResponse created;
    BOOST_TEST(runtime_stub->CreateContainer(&create, request, &created).ok());
    BOOST_TEST(Got("CreateContainer") == request.SerializeAsString());
    cri::StartContainerRequest start;
    start.set_container_id(created.container_id());
    grpc::ClientContext started;
    started.set_compression_algorithm(compression);
    cri::StartContainerResponse none;
    BOOST_TEST(runtime_stub->StartContainer(&started, start, &none).ok());
  }
}

BOOST_FIXTURE_TEST_CASE(CompressedRequests_OfTranslatedCalls_AreThePlainOnes,
                        NodeWithoutNativeApi) {
  using Images = cri::ImageService::Stub;
  BOOST_TEST(Pull(kWeb).ok());
  Compare("ListImages", &Images::ListImages, *images, cri::ListImagesRequest());
  cri::RemoveImageRequest remove;
  remove.mutable_image()->set_image("registry.example/acme/other:1");
  Compare("RemoveImage", &Images::RemoveImage, *images, remove);
}

// kubelet sends up to 16 MiB, others more.
BOOST_FIXTURE_TEST_CASE(LargeRequest_Passes, Node) {
  for (const auto compression : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    auto request = PullRequest(kWeb);
    AddEntry(*request.mutable_image()->mutable_annotations(), "large", std::string(63 * kMiB, 'x'));
    grpc::ClientContext context;
    context.set_compression_algorithm(compression);
    cri::PullImageResponse response;
    const auto status = images->PullImage(&context, request, &response);
    BOOST_TEST(status.ok(), status.error_message());
  }
}

BOOST_FIXTURE_TEST_CASE(Bomb_IsRefusedAndForwardedToNobody, Node) {
  const std::string bomb = Compressed(PullOf(70 * kMiB));
  BOOST_TEST(bomb.size() < 100'000U);
  for (int i = 0; i < 3; ++i) {
    const std::string status = Answer("gzip", bomb);
    BOOST_TEST(status == std::to_string(grpc::RESOURCE_EXHAUSTED));
  }
  BOOST_TEST(runtime.Calls("PullImage").empty());
  BOOST_TEST(Pull(kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(PlainRequestBeyondTheLimit_IsRefused, Node) {
  cri::PullImageRequest request;
  BOOST_REQUIRE(request.ParseFromString(PullOf(65 * kMiB)));
  grpc::ClientContext context;
  cri::PullImageResponse response;
  BOOST_TEST(images->PullImage(&context, request, &response).error_code() ==
             grpc::RESOURCE_EXHAUSTED);
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

// One that fits is answered, the others are told to try again, and what is small passes. It is
// inside before they come: of several that are unpacked at once each may take the room that all
// others lack.
BOOST_FIXTURE_TEST_CASE(BombsAtOnce_HoldNoMoreThanTheirShare, NarrowNode) {
  std::promise<void> may_go_on;
  std::shared_future<void> go_on = may_go_on.get_future().share();
  std::atomic<int> inside{0};
  runtime.OnCall("PullImage", [&](const auto&) {
    ++inside;
    go_on.wait();
  });
  const std::string bomb = Compressed(PullOf(7 * kMiB));
  RawHttp2 client(RawHttp2::Role::kClient, Connect());
  std::vector<std::int32_t> streams;
  streams.push_back(Ask(client, "gzip", bomb));
  BOOST_TEST(client.RunUntil([&] { return inside == 1; }, kPatience));
  for (int i = 1; i < 20; ++i) streams.push_back(Ask(client, "gzip", bomb));
  const auto refused = [&] {
    return std::count_if(streams.begin(), streams.end(), [&](std::int32_t stream) {
      return client.stream(stream).Field("grpc-status") == std::to_string(grpc::RESOURCE_EXHAUSTED);
    });
  };
  BOOST_TEST(client.RunUntil([&] { return refused() == 19; }, kPatience));
  BOOST_TEST(inside == 1);
  BOOST_TEST(Status(kWeb).has_image() == false);
  may_go_on.set_value();
  BOOST_TEST(client.RunUntil([&] {
    return std::all_of(streams.begin(), streams.end(),
                       [&](std::int32_t stream) { return client.stream(stream).closed; });
  }));
  // What they held is free again.
  BOOST_TEST(Answer("gzip", bomb) == "0");
}

// A parser makes an object of 40 bytes and more of each two bytes.
BOOST_FIXTURE_TEST_CASE(ObjectsOfTwoBytesEach_CountAsWhatTheyTake, Node) {
  std::string mounts;
  for (std::size_t i = 0; i < 3 * kMiB; ++i) mounts += std::string("\x3a\x00", 2);
  cri::CreateContainerRequest request = CreateRequest(web.image_id, kWeb);
  BOOST_REQUIRE(request.mutable_config()->MergeFromString(mounts));
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  BOOST_TEST(runtime_stub->CreateContainer(&context, request, &response).error_code() ==
             grpc::RESOURCE_EXHAUSTED);
  BOOST_TEST(runtime.Calls("CreateContainer").empty());
}

// What crivet does not know takes no more than its bytes, and arrives.
BOOST_FIXTURE_TEST_CASE(UnknownFieldsOfTwoBytesEach_Pass, Node) {
  std::string fields;
  for (std::size_t i = 0; i < 4 * kMiB; ++i) fields += std::string("\x78\x01", 2);
  cri::PullImageRequest request = PullRequest(kWeb);
  BOOST_REQUIRE(request.MergeFromString(fields));
  grpc::ClientContext context;
  cri::PullImageResponse response;
  BOOST_TEST(images->PullImage(&context, request, &response).ok());
  BOOST_TEST(Got("PullImage").ends_with(fields));
}

BOOST_DATA_TEST_CASE_F(Node, DamagedRequest_CannotBeRead, Damages(), damage) {
  BOOST_TEST(Answer(damage.encoding, damage.bytes) == std::to_string(grpc::INTERNAL));
  BOOST_TEST(runtime.Calls("PullImage").empty());
  BOOST_TEST(Pull(kWeb).ok());
}

// As Go's reader has it: several members are one file.
BOOST_FIXTURE_TEST_CASE(GzipOfSeveralMembers_IsOneRequest, Node) {
  const std::string message = PullOf(1000, 'x');
  BOOST_TEST(Answer("gzip", Compressed(message.substr(0, 500)) + Compressed("") +
                                Compressed(message.substr(500))) == "0");
  BOOST_TEST(Answer("gzip", Compressed(message)) == "0");
  const auto calls = runtime.Calls("PullImage");
  BOOST_REQUIRE(calls.size() == 2U);
  BOOST_TEST(calls[0].request == calls[1].request);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
