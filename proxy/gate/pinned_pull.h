// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "proxy/gate/gate_call.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// PullQuestion asks which digest `request` may pull of `reference`.
trust::Question PullQuestion(GateCall& call, const trust::ImageReference& reference,
                             const cri::PullImageRequest& request);

/// Pull forwards `request` as it is.
Task<grpc::Status> Pull(GateCall& call, const cri::PullImageRequest& request,
                        cri::PullImageResponse& response);

/// PullAs forwards `request` under `name` instead of what it says, everything else unchanged.
Task<grpc::Status> PullAs(GateCall& call, const std::string& name,
                          const cri::PullImageRequest& request, cri::PullImageResponse& response);

/// PullPinned pulls `reference` by the digest that `judgement` allows, which it must, gives the
/// image its tag back and remembers what was verified (proxy/RULES.md#the-tag). From the runtime's
/// success on, it runs to its end whatever the client does; it is decided again before the tag is
/// given, one pull of a name at a time, so that the newest decision keeps the tag.
Task<grpc::Status> PullPinned(GateCall& call, const trust::ImageReference& reference,
                              const Judgement& judgement, const cri::PullImageRequest& request,
                              cri::PullImageResponse& response);

}  // namespace crivet::proxy
