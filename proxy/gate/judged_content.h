// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/image_use.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// JudgedContent is what a container may be made from: its image and its image volumes. Those that
/// no enforced rule judged are not in it.
struct JudgedContent {
  struct Volume {
    std::string container_path;
    JudgedImage image;
  };
  std::optional<JudgedImage> root;
  std::vector<Volume> volumes;

  bool empty() const { return !root && volumes.empty(); }
  /// One of them, to speak for all. Not for an empty one.
  const Judgement& any() const { return (root ? *root : volumes.front().image).judgement; }
};

/// JudgeContent judges the images of `config`, and writes into it what is to be forwarded. The
/// error is the status to answer.
Task<tl::expected<JudgedContent, grpc::Status>> JudgeContent(GateCall& call,
                                                             cri::ContainerConfig& config);

/// CanBeExamined refuses where what the runtime makes could not be looked at afterwards: containerd
/// without its own API. OK for a runtime whose image IDs never move, and where there is nothing to
/// look at.
Task<grpc::Status> CanBeExamined(GateCall& call, const JudgedContent& content);
Task<grpc::Status> CanBeExamined(GateCall& call, const Judgement& judgement);

/// Whether the container was made from it. Runs to its end whatever the client does.
Task<RuntimeContainers::Examined> ExamineContent(GateCall& call, const std::string& container_id,
                                                 const JudgedContent& content);

/// PutOwnInFront lets crivet's own names of the images come first in the runtime.
Task<grpc::Status> PutOwnInFront(GateCall& call, const JudgedContent& content);
Task<grpc::Status> PutOwnInFront(GateCall& call, const JudgedImage& image);

/// RefuseContent answers a call whose container was not made from what was judged, or where that is
/// not known; it writes the audit line. `found` is for people.
grpc::Status RefuseContent(GateCall& call, const Judgement& judged, trust::Reason reason,
                           std::string found);

}  // namespace crivet::proxy
