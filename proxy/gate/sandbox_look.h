// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <memory>
#include <optional>
#include <string>

#include "proxy/config/config.h"
#include "proxy/gate/gate_call.h"
#include "proxy/gate/unseen_sandboxes.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// SandboxLook is what came of looking at a sandbox that runs.
struct SandboxLook {
  struct Problem {
    trust::Reason reason;
    std::string found;  ///< for people
  };
  /// Why it must not be used; nothing where it may be.
  std::optional<Problem> problem;
  /// It is as judged, or gone: nothing is left to look at.
  bool settled = true;
};

/// LookAtSandbox asks whether the root of a sandbox is what was judged. Where it is not, or that
/// cannot be told, the sandbox is stopped and removed. Runs to its end whatever the client does.
Task<SandboxLook> LookAtSandbox(GateParts& parts, const std::string& id,
                                const UnseenSandboxes::Expected& expected);

/// SeeSandboxOf looks at the sandbox that a container is to be made in, where nobody has yet. The
/// error is the status to answer; it writes the audit line. Costs nothing for a sandbox that was
/// looked at.
Task<grpc::Status> SeeSandboxOf(GateCall& call, const cri::CreateContainerRequest& request);

/// SeeLostSandboxes looks at those that were lost sight of and are ready by now; it writes audit
/// lines for those that are not what was judged. One that does not turn up within a minute was
/// never made.
Task<Done> SeeLostSandboxes(GateParts& parts, std::shared_ptr<const Config::Gate> settings);

}  // namespace crivet::proxy
