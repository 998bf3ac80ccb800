// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/gate/gate_fixture.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <iterator>

namespace crivet::proxy {
namespace {

FakeCri::Options RuntimeOptions(const TemporaryFolder& folder,
                                const GateFixture::Settings& settings) {
  return {.socket = folder.path() + "/cri.sock",
          .native_api = settings.native_api,
          .native_containers = settings.native_containers,
          .runtime_name = settings.runtime_name,
          .sandbox_image = settings.sandbox_image,
          .snapshotter = settings.snapshotter,
          .shown_after_polls = settings.shown_after_polls};
}

// A call that would never end must not hold up the suite.
constexpr std::chrono::seconds kLongerThanAnySandboxTakes{30};

void SetPod(cri::PodSandboxConfig& config, const std::string& pod_namespace) {
  config.mutable_metadata()->set_namespace_(pod_namespace);
  config.mutable_metadata()->set_name("web-0");
  config.mutable_metadata()->set_uid("2f1c");
}

}  // namespace

GateFixture::GateFixture(Settings settings)
    : runtime(RuntimeOptions(folder, settings)),
      decider(settings.answering),
      settings_(std::move(settings)) {
  StartGate();
}

GateFixture::~GateFixture() = default;

void GateFixture::StartGate() {
  audit_ = AuditLog::Create({.target = folder.path() + "/audit.log",
                             .on_drop = [this] { metrics.CountAuditDrop(); }})
               .value();
  const std::string own = folder.path() + "/cri.sock";
  gate_ = Gate::Create({.upstream = settings_.upstream.empty() ? own : settings_.upstream,
                        .image_upstream = "",
                        .state_dir = folder.path(),
                        .gate = settings_.gate,
                        .budget = settings_.budget,
                        .decider = &decider,
                        .audit = audit_.get(),
                        .metrics = &metrics,
                        .log = [](const std::string& line) { BOOST_TEST_MESSAGE(line); },
                        .on_translation =
                            [this] {
                              ++translations;
                              translations.notify_all();
                            }})
              .value();
  // The gate asks the runtime once what it can do; a test's hooks are for what comes after.
  if (settings_.native_api == FakeCri::NativeApi::kServed) {
    BOOST_REQUIRE(runtime.WaitForCall("Images.Get"));
  } else {
    translations.wait(0);
  }
  const int fd = Connect().Release();
  grpc::ChannelArguments settings;
  settings.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  settings.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomInsecureChannelFromFd("gate", fd, settings);
  images = cri::ImageService::NewStub(channel_);
  runtime_stub = cri::RuntimeService::NewStub(channel_);
}

OwnedFd GateFixture::Connect() {
  OwnedFd fd(gate_->Connect({.pid = 4711, .uid = 0, .gid = 0}));
  BOOST_REQUIRE(fd);
  return fd;
}

void GateFixture::RestartGate() {
  images.reset();
  runtime_stub.reset();
  channel_.reset();
  gate_.reset();
  audit_.reset();
  StartGate();
}

cri::PullImageRequest GateFixture::PullRequest(const std::string& image,
                                               const std::string& pod_namespace) const {
  cri::PullImageRequest request;
  request.mutable_image()->set_image(image);
  if (!pod_namespace.empty()) SetPod(*request.mutable_sandbox_config(), pod_namespace);
  return request;
}

grpc::Status GateFixture::Pull(const std::string& image, const std::string& pod_namespace) {
  grpc::ClientContext context;
  cri::PullImageResponse response;
  auto status = images->PullImage(&context, PullRequest(image, pod_namespace), &response);
  if (status.ok()) pulled_ = response.image_ref();
  return status;
}

cri::ImageStatusResponse GateFixture::Status(const std::string& image) {
  grpc::ClientContext context;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image);
  cri::ImageStatusResponse response;
  const auto status = images->ImageStatus(&context, request, &response);
  BOOST_REQUIRE_MESSAGE(status.ok(), status.error_message());
  return response;
}

cri::CreateContainerRequest GateFixture::CreateRequest(const std::string& image,
                                                       const std::string& user_specified_image,
                                                       const std::string& pod_namespace) const {
  cri::CreateContainerRequest request;
  request.mutable_config()->mutable_image()->set_image(image);
  request.mutable_config()->mutable_image()->set_user_specified_image(user_specified_image);
  if (!pod_namespace.empty()) SetPod(*request.mutable_sandbox_config(), pod_namespace);
  return request;
}

grpc::Status GateFixture::Create(const std::string& image, const std::string& user_specified_image,
                                 const std::string& pod_namespace) {
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  const auto request = CreateRequest(image, user_specified_image, pod_namespace);
  auto status = runtime_stub->CreateContainer(&context, request, &response);
  if (status.ok()) created_ = response.container_id();
  return status;
}

grpc::Status GateFixture::StartCreated(const std::string& id) {
  grpc::ClientContext context;
  cri::StartContainerRequest request;
  request.set_container_id(id.empty() ? created_ : id);
  cri::StartContainerResponse response;
  return runtime_stub->StartContainer(&context, request, &response);
}

grpc::Status GateFixture::CreateWithVolume(const std::string& image,
                                           const std::string& user_specified_image,
                                           const std::string& volume_image,
                                           const std::string& volume_user_specified_image) {
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  auto request = CreateRequest(image, user_specified_image);
  auto& volume = *request.mutable_config()->add_mounts()->mutable_image();
  volume.set_image(volume_image);
  volume.set_user_specified_image(volume_user_specified_image);
  request.mutable_config()->mutable_mounts(0)->set_container_path("/data");
  auto status = runtime_stub->CreateContainer(&context, request, &response);
  if (status.ok()) created_ = response.container_id();
  return status;
}

grpc::Status GateFixture::RunSandbox(const std::string& pod_namespace) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLongerThanAnySandboxTakes);
  cri::RunPodSandboxResponse response;
  return runtime_stub->RunPodSandbox(&context, SandboxRequest(pod_namespace), &response);
}

cri::RunPodSandboxRequest GateFixture::SandboxRequest(const std::string& pod_namespace) const {
  cri::RunPodSandboxRequest request;
  SetPod(*request.mutable_config(), pod_namespace);
  return request;
}

cri::ListImagesResponse GateFixture::List(const std::string& filter) {
  grpc::ClientContext context;
  cri::ListImagesRequest request;
  if (!filter.empty()) request.mutable_filter()->mutable_image()->set_image(filter);
  cri::ListImagesResponse response;
  const auto status = images->ListImages(&context, request, &response);
  BOOST_REQUIRE_MESSAGE(status.ok(), status.error_message());
  return response;
}

grpc::Status GateFixture::Remove(const std::string& image) {
  grpc::ClientContext context;
  cri::RemoveImageRequest request;
  request.mutable_image()->set_image(image);
  cri::RemoveImageResponse response;
  return images->RemoveImage(&context, request, &response);
}

std::string GateFixture::AuditText() {
  gate_.reset();
  audit_.reset();
  std::ifstream file(folder.path() + "/audit.log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace crivet::proxy
