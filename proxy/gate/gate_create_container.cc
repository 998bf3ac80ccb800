// SPDX-License-Identifier: Apache-2.0

// CreateContainer: the image and every image volume must be vouched for now
// (proxy/RULES.md#createcontainer), and what the runtime makes of them is looked at before anybody
// can start it: it resolves the image again, by the first of its names, which others may have moved
// since.

#include <chrono>
#include <memory>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/judged_content.h"
#include "proxy/gate/sandbox_look.h"
#include "proxy/runtime/call_context.h"

namespace crivet::proxy {

namespace {

using Finding = RuntimeContainers::Finding;

// With a name of crivet's own in front of the others it comes out right, unless that is removed at
// the same moment.
constexpr int kMaxAttempts = 3;

struct Forwarded {
  std::unique_ptr<grpc::ClientContext> context;
  grpc::Status status;
};

Task<Forwarded> Forward(GateCall& call, const cri::CreateContainerRequest& judged,
                        cri::CreateContainerResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  Forwarded forwarded{RelayContext(call.downstream()), {}};
  grpc::ClientContext& context = *forwarded.context;
  forwarded.status = co_await call.parts().upstream.CreateContainer(context, judged, response);
  call.parts().metrics.Observe(Phase::kUpstream, std::chrono::steady_clock::now() - begin);
  co_return forwarded;
}

// Nobody may start it. Where it cannot be removed it stays unchecked, and StartContainer refuses.
Task<Done> TakeAway(GateCall& call, const std::string& id) {
  const grpc::Status removed = co_await call.parts().containers.Remove(id);
  if (!removed.ok()) {
    call.parts().log("cannot remove container " + id +
                     ", which is not what was judged: " + removed.error_message());
  }
  co_return Done{};
}

}  // namespace

Task<grpc::Status> AnswerCreateContainer(GateCall& call, const cri::CreateContainerRequest& request,
                                         cri::CreateContainerResponse& response) {
  if (request.has_sandbox_config()) call.SetPod(request.sandbox_config());
  RuntimeContainers& containers = call.parts().containers;
  grpc::Status seen = co_await SeeSandboxOf(call, request);
  if (!seen.ok()) co_return seen;
  for (int attempt = 1;; ++attempt) {
    cri::CreateContainerRequest judged = request;
    auto content = co_await JudgeContent(call, *judged.mutable_config());
    if (!content) co_return content.error();
    grpc::Status able = co_await CanBeExamined(call, *content);
    if (!able.ok()) co_return able;
    if (attempt > 1) {
      grpc::Status front = co_await PutOwnInFront(call, *content);
      if (!front.ok()) co_return front;
    }
    auto forwarded = co_await Forward(call, judged, response);
    const bool looked_at = !content->empty() && !call.parts().images.translates();
    const std::string id = response.container_id();
    auto finding = RuntimeContainers::Examined(Finding::kAsJudged);
    if (forwarded.status.ok() && looked_at) {
      finding = co_await ExamineContent(call, id, *content);
    }
    if (finding && *finding == Finding::kAsJudged) {
      if (forwarded.status.ok()) containers.checked().Add(id);
      CarryBack(*forwarded.context, call.downstream());
      co_return forwarded.status;
    }
    response.Clear();
    co_await TakeAway(call, id);
    if (!finding || *finding == Finding::kNoRecord) {
      call.parts().log("what container " + id + " was made from is not known: " +
                       (finding ? "no record of it" : finding.error().error_message()));
      co_return RefuseContent(call, content->any(), trust::Reason::kState,
                              "the runtime does not say what it made the container from, so it was "
                              "removed; it is tried again");
    }
    call.parts().metrics.CountOtherContent();
    call.parts().log("container " + id + " was not made from what was judged as " +
                     content->any().canonical +
                     ": a name of its image was moved meanwhile; it was removed");
    if (attempt == kMaxAttempts) {
      co_return RefuseContent(call, content->any(), trust::Reason::kDigestMismatch,
                              "the runtime made the container from other content each time, for "
                              "names of the image are being moved on this node; it was removed, "
                              "and is tried again");
    }
  }
}

}  // namespace crivet::proxy
