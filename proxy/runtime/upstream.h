// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "containerd/services/containers/v1/containers.grpc.pb.h"
#include "containerd/services/content/v1/content.grpc.pb.h"
#include "containerd/services/images/v1/images.grpc.pb.h"
#include "containerd/services/snapshots/v1/snapshots.grpc.pb.h"
#include "proxy/runtime/call_task.h"
#include "runtime/v1/api.grpc.pb.h"
#include "trust/io/service/timetable.h"

namespace crivet::proxy {

namespace cri = ::runtime::v1;
namespace native = ::containerd::services::images::v1;

/// Upstream is the gate's way to the container runtime: a channel to its socket, and one to the
/// image service's where that is another. Thread-safe.
///
/// A call waits up to a second for a runtime that is not there yet (it may be restarting), then
/// fails with UNAVAILABLE and a text of ours that is always the same. Every status that the runtime
/// itself sent passes as it is. Arguments must outlive the task.
class Upstream {
 public:
  /// Both are paths of unix sockets; `image_socket` may be empty.
  Upstream(const std::string& socket, const std::string& image_socket);
  ~Upstream();

  Task<grpc::Status> PullImage(grpc::ClientContext& context, const cri::PullImageRequest& request,
                               cri::PullImageResponse& response);
  Task<grpc::Status> ImageStatus(grpc::ClientContext& context,
                                 const cri::ImageStatusRequest& request,
                                 cri::ImageStatusResponse& response);
  Task<grpc::Status> ListImages(grpc::ClientContext& context, const cri::ListImagesRequest& request,
                                cri::ListImagesResponse& response);
  /// Gives each message to `each` and reads the next when that is over; false ends the stream.
  using EachOfImages = std::function<Task<bool>(cri::StreamImagesResponse& message)>;
  Task<grpc::Status> StreamImages(grpc::ClientContext& context,
                                  const cri::StreamImagesRequest& request, EachOfImages each);
  Task<grpc::Status> RemoveImage(grpc::ClientContext& context,
                                 const cri::RemoveImageRequest& request,
                                 cri::RemoveImageResponse& response);
  Task<grpc::Status> ImageFsInfo(grpc::ClientContext& context,
                                 const cri::ImageFsInfoRequest& request,
                                 cri::ImageFsInfoResponse& response);
  Task<grpc::Status> CreateContainer(grpc::ClientContext& context,
                                     const cri::CreateContainerRequest& request,
                                     cri::CreateContainerResponse& response);
  Task<grpc::Status> RunPodSandbox(grpc::ClientContext& context,
                                   const cri::RunPodSandboxRequest& request,
                                   cri::RunPodSandboxResponse& response);
  Task<grpc::Status> Status(grpc::ClientContext& context, const cri::StatusRequest& request,
                            cri::StatusResponse& response);

  Task<grpc::Status> StartContainer(grpc::ClientContext& context,
                                    const cri::StartContainerRequest& request,
                                    cri::StartContainerResponse& response);
  Task<grpc::Status> RemoveContainer(grpc::ClientContext& context,
                                     const cri::RemoveContainerRequest& request,
                                     cri::RemoveContainerResponse& response);
  Task<grpc::Status> ContainerStatus(grpc::ClientContext& context,
                                     const cri::ContainerStatusRequest& request,
                                     cri::ContainerStatusResponse& response);
  Task<grpc::Status> ListContainers(grpc::ClientContext& context,
                                    const cri::ListContainersRequest& request,
                                    cri::ListContainersResponse& response);
  Task<grpc::Status> PodSandboxStatus(grpc::ClientContext& context,
                                      const cri::PodSandboxStatusRequest& request,
                                      cri::PodSandboxStatusResponse& response);
  Task<grpc::Status> ListPodSandbox(grpc::ClientContext& context,
                                    const cri::ListPodSandboxRequest& request,
                                    cri::ListPodSandboxResponse& response);
  Task<grpc::Status> StopPodSandbox(grpc::ClientContext& context,
                                    const cri::StopPodSandboxRequest& request,
                                    cri::StopPodSandboxResponse& response);
  Task<grpc::Status> RemovePodSandbox(grpc::ClientContext& context,
                                      const cri::RemovePodSandboxRequest& request,
                                      cri::RemovePodSandboxResponse& response);
  Task<grpc::Status> Version(grpc::ClientContext& context, const cri::VersionRequest& request,
                             cri::VersionResponse& response);

  /// containerd's own API, always at the runtime's socket.
  Task<grpc::Status> GetImage(grpc::ClientContext& context, const native::GetImageRequest& request,
                              native::GetImageResponse& response);
  Task<grpc::Status> ListNativeImages(grpc::ClientContext& context,
                                      const native::ListImagesRequest& request,
                                      native::ListImagesResponse& response);
  Task<grpc::Status> CreateImage(grpc::ClientContext& context,
                                 const native::CreateImageRequest& request,
                                 native::CreateImageResponse& response);
  Task<grpc::Status> UpdateImage(grpc::ClientContext& context,
                                 const native::UpdateImageRequest& request,
                                 native::UpdateImageResponse& response);

  Task<grpc::Status> DeleteImage(grpc::ClientContext& context,
                                 const native::DeleteImageRequest& request,
                                 google::protobuf::Empty& response);
  Task<grpc::Status> GetContainer(
      grpc::ClientContext& context,
      const ::containerd::services::containers::v1::GetContainerRequest& request,
      ::containerd::services::containers::v1::GetContainerResponse& response);
  Task<grpc::Status> StatSnapshot(
      grpc::ClientContext& context,
      const ::containerd::services::snapshots::v1::StatSnapshotRequest& request,
      ::containerd::services::snapshots::v1::StatSnapshotResponse& response);

  /// Reads a piece of content whole into `content`; RESOURCE_EXHAUSTED beyond `max_bytes`.
  Task<grpc::Status> ReadContent(grpc::ClientContext& context, const std::string& digest,
                                 std::size_t max_bytes, std::string& content);

  /// `call`, which uses `context`, for what must run to its end: it waits as long as the runtime
  /// answers other calls. DEADLINE_EXCEEDED where it stops answering, or after HurryIn().
  Task<grpc::Status> ToItsEnd(grpc::ClientContext& context, Task<grpc::Status> call);

  /// What must run to its end has `drain` and ten more seconds, whatever the runtime does.
  void HurryIn(std::chrono::milliseconds drain);
  bool IsHurried() const { return hurried_.load(std::memory_order_relaxed); }

  /// Ends after `duration`, whatever happens to the wall clock meanwhile: gRPC's own timers wait by
  /// that one, and stand still for as long as it was set back.
  Task<Done> Pause(std::chrono::milliseconds duration);

 private:
  struct Endpoint;

  template <typename Start>
  Task<grpc::Status> Call(Endpoint& endpoint, grpc::ClientContext& context, Start start);
  Task<Done> WaitUntilReady(Endpoint& endpoint, grpc::ClientContext& context);
  void Probe(std::function<void(bool answered)> done);

  std::unique_ptr<Endpoint> runtime_;
  std::unique_ptr<Endpoint> image_;
  std::atomic<bool> hurried_{false};
  trust::Timetable pauses_;
};

/// Elsewhere goes on at once, on a thread of gRPC's.
Task<Done> Elsewhere();

}  // namespace crivet::proxy
