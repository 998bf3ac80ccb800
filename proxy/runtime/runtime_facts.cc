// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/runtime_facts.h"

#include "containerd/services/containers/v1/containers.grpc.pb.h"
#include "containerd/services/snapshots/v1/snapshots.grpc.pb.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/runtime_client.h"
#include "proxy/runtime/sandbox_image.h"
#include "runtime/v1/api.grpc.pb.h"

namespace crivet::proxy {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace snapshots = ::containerd::services::snapshots::v1;

// By asking for what is not there.
bool TellsOrigins(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds limit) {
  auto context = BlockingContext(limit);
  ForNativeApi(*context);
  containers::GetContainerRequest get;
  get.set_id("crivet.invalid");
  containers::GetContainerResponse container;
  const auto got = containers::Containers::NewStub(channel)->Get(context.get(), get, &container);
  auto stat_context = BlockingContext(limit);
  ForNativeApi(*stat_context);
  snapshots::StatSnapshotRequest stat;
  stat.set_snapshotter("overlayfs");
  stat.set_key("crivet.invalid");
  snapshots::StatSnapshotResponse info;
  const auto told = snapshots::Snapshots::NewStub(channel)->Stat(stat_context.get(), stat, &info);
  return got.error_code() != grpc::UNIMPLEMENTED && told.error_code() != grpc::UNIMPLEMENTED;
}

}  // namespace

trust::Result<RuntimeFacts> AskRuntime(const std::string& socket, std::chrono::milliseconds limit) {
  namespace cri = ::runtime::v1;
  const auto channel = RuntimeChannel(socket);
  const auto runtime = cri::RuntimeService::NewStub(channel);
  cri::VersionRequest ask_version;
  cri::VersionResponse version;
  const grpc::Status asked = runtime->Version(BlockingContext(limit).get(), ask_version, &version);
  if (!asked.ok()) return RuntimeFailure(socket, "Version", asked);
  RuntimeFacts facts{
      version.runtime_name(), version.runtime_version(), {}, {}, TellsOrigins(channel, limit)};
  cri::StatusRequest ask_status;
  ask_status.set_verbose(true);
  cri::StatusResponse status;
  if (runtime->Status(BlockingContext(limit).get(), ask_status, &status).ok()) {
    facts.sandbox_image = SandboxImageOf(status).value_or("");
    for (const auto& handler : status.runtime_handlers()) {
      if (!handler.name().empty()) facts.handlers.push_back(handler.name());
    }
  }
  return facts;
}

}  // namespace crivet::proxy
