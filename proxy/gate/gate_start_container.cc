// SPDX-License-Identifier: Apache-2.0

// StartContainer: only what was looked at may start. A container that the gate made is known by
// then; one that is not was made before crivet began, or while it ended or the client went away,
// and is judged and looked at now.

#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/judged_content.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/map_entries.h"

namespace crivet::proxy {
namespace {

using Finding = RuntimeContainers::Finding;

Task<grpc::Status> Forward(GateCall& call, const cri::StartContainerRequest& request,
                           cri::StartContainerResponse& response) {
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.StartContainer(*context, request, response);
  CarryBack(*context, call.downstream());
  co_return status;
}

// What CRI tells of a container that is not known here.
struct Stranger {
  cri::ContainerStatus status;
  std::string image_id;
  std::string author_wrote;  // empty where nobody tells
};

// What the pod's author wrote stands in the container's own configuration, which containerd tells
// on request; as the image of a container it gives the first of the image's tags by now, whoever
// made that.
std::string AuthorWrote(const cri::ContainerStatusResponse& response) {
  using nlohmann::json;
  const std::string* info = FindEntry(response.info(), "info");
  const json told = json::parse(info == nullptr ? "" : *info, nullptr, /*allow_exceptions=*/false);
  const json* at = &told;
  for (const char* key : {"config", "image", "user_specified_image"}) {
    const auto inner = at->is_object() ? at->find(key) : at->end();
    if (inner == at->end()) return response.status().image().user_specified_image();
    at = &*inner;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

Task<tl::expected<Stranger, grpc::Status>> AskAbout(GateCall& call, const std::string& id) {
  using Result = tl::expected<Stranger, grpc::Status>;
  Upstream& upstream = call.parts().upstream;
  cri::ContainerStatusRequest status_request;
  status_request.set_container_id(id);
  status_request.set_verbose(true);
  cri::ContainerStatusResponse status_response;
  auto status_context = SideContext(call.downstream());
  // Where there is none, it says so in the words that it has for StartContainer too.
  grpc::Status status =
      co_await upstream.ContainerStatus(*status_context, status_request, status_response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  Stranger stranger{status_response.status(), {}, AuthorWrote(status_response)};

  // Only the list tells the image by its ID, and the sandbox.
  cri::ListContainersRequest list_request;
  list_request.mutable_filter()->set_id(stranger.status.id());
  cri::ListContainersResponse list_response;
  auto list_context = SideContext(call.downstream());
  status = co_await upstream.ListContainers(*list_context, list_request, list_response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  if (list_response.containers().empty()) {
    status = grpc::Status(grpc::NOT_FOUND, "container " + id + " is being removed");
    co_return Result(tl::unexpect, std::move(status));
  }
  const cri::Container& listed = list_response.containers(0);
  stranger.image_id = listed.image_ref();

  cri::PodSandboxStatusRequest pod_request;
  pod_request.set_pod_sandbox_id(listed.pod_sandbox_id());
  cri::PodSandboxStatusResponse pod_response;
  auto pod_context = SideContext(call.downstream());
  status = co_await upstream.PodSandboxStatus(*pod_context, pod_request, pod_response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  cri::PodSandboxConfig pod;
  *pod.mutable_metadata() = pod_response.status().metadata();
  call.SetPod(pod);
  co_return Result(std::move(stranger));
}

// The images of the container, as CreateContainer was asked for them.
cri::ContainerConfig ConfigOf(const Stranger& stranger) {
  cri::ContainerConfig config;
  config.mutable_image()->set_image(stranger.image_id);
  config.mutable_image()->set_user_specified_image(stranger.author_wrote);
  for (const auto& mount : stranger.status.mounts()) {
    if (mount.has_image()) *config.add_mounts() = mount;
  }
  return config;
}

Task<grpc::Status> Check(GateCall& call, const Stranger& stranger) {
  cri::ContainerConfig config = ConfigOf(stranger);
  auto content = co_await JudgeContent(call, config);
  if (!content) co_return content.error();
  grpc::Status able = co_await CanBeExamined(call, *content);
  if (!able.ok()) co_return able;
  if (content->empty() || call.parts().images.translates()) co_return grpc::Status::OK;

  const std::string id = stranger.status.id();
  auto finding = co_await ExamineContent(call, id, *content);
  if (!finding) {
    call.parts().log("what container " + id +
                     " was made from is not known: " + finding.error().error_message());
    co_return RefuseContent(call, content->any(), trust::Reason::kState,
                            "the runtime does not say what it made the container from");
  }
  if (*finding == Finding::kAsJudged) co_return grpc::Status::OK;
  call.parts().metrics.CountOtherContent();
  const grpc::Status removed = co_await call.parts().containers.Remove(id);
  call.parts().log("container " + id + " was not made from what it is named, " +
                   content->any().canonical +
                   (removed.ok() ? "; it was removed" : ": " + removed.error_message()));
  co_return RefuseContent(call, content->any(), trust::Reason::kDigestMismatch,
                          "the runtime made the container from other content, for a name of the "
                          "image was moved meanwhile; it was removed, and is made anew");
}

}  // namespace

Task<grpc::Status> AnswerStartContainer(GateCall& call, const cri::StartContainerRequest& request,
                                        cri::StartContainerResponse& response) {
  CheckedContainers& checked = call.parts().containers.checked();
  cri::StartContainerRequest known = request;
  if (!checked.Contains(request.container_id())) {
    auto stranger = co_await AskAbout(call, request.container_id());
    if (!stranger) co_return stranger.error();
    // Never as written: the beginning of an ID may be that of another container by then.
    known.set_container_id(stranger->status.id());
    const bool may_start = stranger->status.state() == cri::CONTAINER_CREATED;
    if (may_start && !checked.Contains(known.container_id())) {
      grpc::Status status = co_await Check(call, *stranger);
      if (!status.ok()) co_return status;
    }
  }
  grpc::Status status = co_await Forward(call, known, response);
  if (status.ok()) checked.Forget(known.container_id());
  co_return status;
}

}  // namespace crivet::proxy
