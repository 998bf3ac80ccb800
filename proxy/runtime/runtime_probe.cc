// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/runtime_probe.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "proxy/runtime/runtime_client.h"
#include "proxy/steady_deadline.h"
#include "runtime/v1/api.grpc.pb.h"

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::Reason;
using trust::Result;

// Between two questions whether the runtime is ready.
constexpr std::chrono::milliseconds kPause{50};

std::shared_ptr<grpc::Channel> Dial(const std::string& socket_path) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  arguments.SetMaxReceiveMessageSize(-1);
  // A private pool: two channels to one path must not share a connection to what was there before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("unix:" + socket_path, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

Result<RuntimeView> ProbeKubelet(const std::string& socket_path, std::chrono::milliseconds limit) {
  const gpr_timespec deadline = DeadlineIn(limit);
  const auto stub_of_runtime = runtime::v1::RuntimeService::NewStub(Dial(socket_path));
  const auto stub_of_images = runtime::v1::ImageService::NewStub(Dial(socket_path));
  RuntimeView view;
  const auto context = [&](grpc::ClientContext& call) {
    call.set_deadline(deadline);
    call.set_wait_for_ready(true);
  };

  // containerd listens before its CRI plugin is ready: "server is not initialized yet".
  while (true) {
    grpc::ClientContext call;
    context(call);
    runtime::v1::VersionResponse version;
    const grpc::Status status = stub_of_runtime->Version(&call, {}, &version);
    if (status.ok()) {
      view.name = version.runtime_name();
      view.version = version.runtime_version();
      break;
    }
    // A service that is not there when containerd listens does not come.
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED ||
        gpr_time_cmp(DeadlineIn(kPause), deadline) >= 0) {
      return RuntimeFailure(socket_path, "Version", status);
    }
    std::this_thread::sleep_for(kPause);
  }
  {
    grpc::ClientContext call;
    context(call);
    runtime::v1::StatusResponse answer;
    const grpc::Status status = stub_of_runtime->Status(&call, {}, &answer);
    if (!status.ok()) return RuntimeFailure(socket_path, "Status", status);
  }
  {
    grpc::ClientContext call;
    context(call);
    runtime::v1::ImageFsInfoResponse answer;
    const grpc::Status status = stub_of_images->ImageFsInfo(&call, {}, &answer);
    if (!status.ok()) return RuntimeFailure(socket_path, "ImageFsInfo", status);
  }
  {
    grpc::ClientContext call;
    context(call);
    runtime::v1::ListPodSandboxResponse answer;
    const grpc::Status status = stub_of_runtime->ListPodSandbox(&call, {}, &answer);
    if (!status.ok()) return RuntimeFailure(socket_path, "ListPodSandbox", status);
    for (const auto& sandbox : answer.items()) view.sandboxes.push_back(sandbox.id());
  }
  {
    grpc::ClientContext call;
    context(call);
    runtime::v1::ListContainersResponse answer;
    const grpc::Status status = stub_of_runtime->ListContainers(&call, {}, &answer);
    if (!status.ok()) return RuntimeFailure(socket_path, "ListContainers", status);
    for (const auto& container : answer.containers()) view.containers.push_back(container.id());
  }
  {
    grpc::ClientContext call;
    context(call);
    runtime::v1::ListImagesResponse answer;
    const grpc::Status status = stub_of_images->ListImages(&call, {}, &answer);
    if (!status.ok()) return RuntimeFailure(socket_path, "ListImages", status);
  }
  std::sort(view.containers.begin(), view.containers.end());
  std::sort(view.sandboxes.begin(), view.sandboxes.end());
  return view;
}

Result<void> ProbeCadvisor(const std::string& socket_path, std::chrono::milliseconds limit) {
  const gpr_timespec deadline = DeadlineIn(limit);
  grpc::GenericStub stub(Dial(socket_path));
  // Empty requests: no message type is needed to see whether a method is served.
  for (const char* method : {"/containerd.services.version.v1.Version/Version",
                             "/containerd.services.containers.v1.Containers/List",
                             "/containerd.services.tasks.v1.Tasks/List"}) {
    grpc::ClientContext call;
    call.set_deadline(deadline);
    call.set_wait_for_ready(true);
    call.AddMetadata("containerd-namespace", "k8s.io");
    grpc::CompletionQueue queue;
    const grpc::ByteBuffer empty(nullptr, 0);
    grpc::ByteBuffer answer;
    grpc::Status status;
    const auto reader = stub.PrepareUnaryCall(&call, method, empty, &queue);
    reader->StartCall();
    reader->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    if (!status.ok()) return RuntimeFailure(socket_path, method, status);
  }
  return {};
}

}  // namespace crivet::proxy
