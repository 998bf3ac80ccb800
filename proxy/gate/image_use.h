// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/gate/gate_call.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// JudgedImage is what an enforced rule allowed, and therefore all that may come of the call: the
/// runtime resolves the names again, and they can be moved meanwhile.
struct JudgedImage {
  Judgement judgement;
  std::string id;
  std::vector<trust::Sha256Digest> manifests;
  std::vector<std::string> odd_manifests;  ///< by other algorithms
};

/// ImageUse is the image that a container, or one of its volumes, is about to be made from.
/// `rewrite_to` is the ID that was judged, where the caller gave a name: the name could mean
/// another image by the time that the runtime reads it. Empty where the text stays as it is.
/// `judged` is missing where nothing can be held against what the runtime makes: in audit mode, and
/// of a checkpoint that the configuration allows, which is restored and not unpacked.
struct ImageUse {
  std::string rewrite_to;
  std::optional<JudgedImage> judged;
};

/// JudgeImageUse answers whether local content may run as what `spec` says it is
/// (proxy/RULES.md#createcontainer, CreateContainer). Writes the audit line, and remembers what was
/// verified. The error is the status to answer: a refusal, or the runtime's own failure.
Task<tl::expected<ImageUse, grpc::Status>> JudgeImageUse(GateCall& call,
                                                         const cri::ImageSpec& spec);

}  // namespace crivet::proxy
