// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proxy/gate/gate_call.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// LooksLikeShortId tells bare hexadecimal of 5 to 64 digits, as `crictl images` prints an ID. The
/// grammar takes most of it for a repository; kubelet never sends such a text, it adds a tag.
bool LooksLikeShortId(std::string_view text);

/// WholeId is the only image ID that begins with `text`, which looks like a short one; empty where
/// none or several do, or where it is the name of an image here. Asks the runtime for its images.
Task<tl::expected<std::string, grpc::Status>> WholeId(GateCall& call, const std::string& text);

}  // namespace crivet::proxy
