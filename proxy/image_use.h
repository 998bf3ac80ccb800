#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/call_task.h"
#include "proxy/gate_call.h"

namespace crivet::proxy {

/// ImageUse is the image that a container, or one of its volumes, is about to be made from.
/// `rewrite_to` is the ID that was judged, where the caller gave a name: the name could mean
/// another image by the time that the runtime reads it. Empty where the text stays as it is.
struct ImageUse {
  std::string rewrite_to;
};

/// JudgeImageUse answers whether local content may run as what `spec` says it is (DESIGN 3,
/// CreateContainer). Writes the audit line, and remembers what was verified. The error is the
/// status to answer: a refusal, or the runtime's own failure.
Task<tl::expected<ImageUse, grpc::Status>> JudgeImageUse(GateCall& call,
                                                         const cri::ImageSpec& spec);

}  // namespace crivet::proxy
