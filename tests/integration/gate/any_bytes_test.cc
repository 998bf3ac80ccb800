// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kWeb[] = "registry.example/acme/web:1";
// No beginning of it is UTF-8.
constexpr char kBytes[] = "\xff\xfe\x80";
// CRI's highest number today is 20.
constexpr int kNumbers = 64;

void FillField(Message& message, const FieldDescriptor& field, int depth);

// Sets every field that a message of CRI has, or will have: those of the slice as it knows them,
// and the rest of the numbers as bytes.
void Fill(Message& message, int depth) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) FillField(message, *type.field(i), depth);
  auto& unknown = *message.GetReflection()->MutableUnknownFields(&message);
  for (int number = 1; number <= kNumbers; ++number) {
    if (type.FindFieldByNumber(number) == nullptr) unknown.AddLengthDelimited(number, kBytes);
  }
  unknown.AddVarint(kNumbers + 1, 7);
  unknown.AddFixed32(kNumbers + 2, 7);
  unknown.AddFixed64(kNumbers + 3, 7);
}

void FillField(Message& message, const FieldDescriptor& field, int depth) {
  const auto& reflection = *message.GetReflection();
  const int times = field.is_repeated() ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth == 0) break;
        Fill(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                 : *reflection.MutableMessage(&message, &field),
             depth - 1);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        if (field.is_repeated()) {
          reflection.AddString(&message, &field, kBytes);
        } else {
          reflection.SetString(&message, &field, kBytes);
        }
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, &field, true);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, &field, 7);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, &field, 7);
        break;
      default:
        BOOST_ERROR("no value for " + field.full_name());
    }
  }
}

// Our slices as their files describe them: what is generated from them has no descriptors.
class Slices {
 public:
  Slices() {
    std::ifstream file(CRIVET_SLICES, std::ios::binary);
    google::protobuf::FileDescriptorSet files;
    BOOST_REQUIRE(files.ParseFromIstream(&file));
    for (const auto& each : files.file()) BOOST_REQUIRE(pool_.BuildFile(each) != nullptr);
  }

  const google::protobuf::DescriptorPool& pool() const { return pool_; }

 private:
  google::protobuf::DescriptorPool pool_;
};

template <typename Request>
Request Filled() {
  const Slices slices;
  google::protobuf::DynamicMessageFactory factory;
  Request request;
  const auto* type = slices.pool().FindMessageTypeByName(request.GetTypeName());
  BOOST_REQUIRE(type != nullptr);
  const std::unique_ptr<Message> filled(factory.GetPrototype(type)->New());
  Fill(*filled, /*depth=*/6);
  BOOST_REQUIRE(request.ParseFromString(filled->SerializeAsString()));
  return request;
}

void SetSpec(cri::ImageSpec& spec, const std::string& image, const std::string& written) {
  spec.set_image(image);
  spec.set_user_specified_image(written);
  spec.clear_image_ref();
}

// Every text in `type`, and in what it is made of, that would have to be UTF-8.
void FindTexts(const Descriptor& type, std::set<std::string>& seen, std::set<std::string>& texts) {
  if (!seen.insert(type.full_name()).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.type() == FieldDescriptor::TYPE_STRING) texts.insert(field.full_name());
    if (field.message_type() != nullptr) FindTexts(*field.message_type(), seen, texts);
  }
}

struct Node : GateFixture {
  explicit Node(Settings settings = Settings()) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    web = runtime.MakeManifest("layers", "configuration");
    runtime.Push(kWeb, web);
    decider.Sign(kWeb, web.digest);
    const auto direct = grpc::CreateChannel("unix:" + folder.path() + "/cri.sock",
                                            grpc::InsecureChannelCredentials());
    direct_images = cri::ImageService::NewStub(direct);
    direct_runtime = cri::RuntimeService::NewStub(direct);
  }

  // The bytes that the runtime got of the latest call of a method.
  std::string Got(const std::string& method) const {
    const auto calls = runtime.Calls(method);
    return calls.empty() ? "nothing" : calls.back().request;
  }

  // Makes one call of each kind and compares what arrives.
  template <typename Stub, typename Request, typename Response>
  void Compare(const std::string& method,
               grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Response*),
               Stub& gate, Stub& direct, const Request& asked, const Request& expected) {
    const auto ask = [&](Stub& stub, const Request& request) {
      grpc::ClientContext context;
      Response response;
      const auto status = (stub.*call)(&context, request, &response);
      BOOST_TEST(status.ok(), method << ": " << status.error_code() << status.error_message());
      return Got(method);
    };
    const std::string through_gate = ask(gate, asked);
    const std::string without = ask(direct, expected);
    BOOST_TEST(without == expected.SerializeAsString());
    BOOST_TEST(through_gate == without, method << " is not what was sent");
  }

  FakeCri::Manifest web{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  std::unique_ptr<cri::ImageService::Stub> direct_images;
  std::unique_ptr<cri::RuntimeService::Stub> direct_runtime;
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

}  // namespace

// A field that the gate does not judge may hold any bytes: an environment variable out of a Secret,
// a label, a path. What the runtime gets is what a direct call would have given it.
BOOST_AUTO_TEST_SUITE(AnyBytesTest)

BOOST_AUTO_TEST_CASE(NoTextOfOurSlices_HasToBeUtf8) {
  const Slices slices;
  std::set<std::string> seen;
  std::set<std::string> texts;
  for (const char* service :
       {"runtime.v1.RuntimeService", "runtime.v1.ImageService",
        "containerd.services.images.v1.Images", "containerd.services.content.v1.Content"}) {
    const auto* found = slices.pool().FindServiceByName(service);
    BOOST_REQUIRE_MESSAGE(found != nullptr, service);
    for (int i = 0; i < found->method_count(); ++i) {
      FindTexts(*found->method(i)->input_type(), seen, texts);
      FindTexts(*found->method(i)->output_type(), seen, texts);
    }
  }
  // Ours alone: the runtime never sends it.
  texts.erase("google.protobuf.FieldMask.paths");
  for (const auto& text : texts) BOOST_ERROR(text + " has to be UTF-8");
  BOOST_TEST(seen.size() > 40U);
}

BOOST_FIXTURE_TEST_CASE(PullImage_EveryFieldArrives, Node) {
  auto asked = Filled<cri::PullImageRequest>();
  SetSpec(*asked.mutable_image(), kWeb, kBytes);
  auto expected = asked;
  expected.mutable_image()->set_image("registry.example/acme/web@" + web.digest.ToString());
  Compare("PullImage", &cri::ImageService::Stub::PullImage, *images, *direct_images, asked,
          expected);
}

BOOST_FIXTURE_TEST_CASE(ImageStatus_EveryFieldArrives, Node) {
  runtime.Import(kWeb, web);
  auto asked = Filled<cri::ImageStatusRequest>();
  SetSpec(*asked.mutable_image(), kWeb, kBytes);
  Compare("ImageStatus", &cri::ImageService::Stub::ImageStatus, *images, *direct_images, asked,
          asked);
}

BOOST_FIXTURE_TEST_CASE(CreateContainer_EveryFieldArrives, Node) {
  runtime.Import(kWeb, web);
  auto asked = Filled<cri::CreateContainerRequest>();
  // The runtime's own word, which is part of the path of a volume.
  asked.set_pod_sandbox_id("sandbox");
  SetSpec(*asked.mutable_config()->mutable_image(), web.image_id, kWeb);
  for (auto& mount : *asked.mutable_config()->mutable_mounts()) {
    SetSpec(*mount.mutable_image(), web.image_id, kWeb);
  }
  Compare("CreateContainer", &cri::RuntimeService::Stub::CreateContainer, *runtime_stub,
          *direct_runtime, asked, asked);
}

BOOST_FIXTURE_TEST_CASE(RunPodSandbox_EveryFieldArrives, NodeWithSandboxImage) {
  const auto asked = Filled<cri::RunPodSandboxRequest>();
  Compare("RunPodSandbox", &cri::RuntimeService::Stub::RunPodSandbox, *runtime_stub,
          *direct_runtime, asked, asked);
}

BOOST_FIXTURE_TEST_CASE(ListAndRemoveImages_EveryFieldArrives, NodeWithoutNativeApi) {
  const auto list = Filled<cri::ListImagesRequest>();
  Compare("ListImages", &cri::ImageService::Stub::ListImages, *images, *direct_images, list, list);
  const auto remove = Filled<cri::RemoveImageRequest>();
  Compare("RemoveImage", &cri::ImageService::Stub::RemoveImage, *images, *direct_images, remove,
          remove);
}

// What is judged is no name then, and the answer says so in text that can be shown.
BOOST_FIXTURE_TEST_CASE(NameThatIsNotUtf8_IsRefusedInPlainText, Node) {
  const auto pulled = Pull(kBytes);
  BOOST_TEST(pulled.error_code() == grpc::UNKNOWN);
  BOOST_TEST(pulled.error_message() ==
             "SignatureValidationFailed: ???: not an image reference [default, not-a-reference]");
  BOOST_TEST(!IsPresent(kBytes));
  BOOST_TEST(Create(kBytes, "").error_message() == pulled.error_message());
  BOOST_TEST(Create(web.image_id, kBytes).error_message() == pulled.error_message());
  BOOST_TEST(AuditText().find("\xff") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(NamespaceThatIsNotUtf8_MatchesNoRuleOfNamespaces, Node) {
  decider.Allow("registry.example/lent").namespaces = {"prod-*"};
  BOOST_TEST(!Pull("registry.example/lent:1", kBytes).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
