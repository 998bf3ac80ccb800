// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "trust/decide/verdict.h"

namespace crivet::proxy {

/// StatusFor is what kubelet is answered for a decision: OK for Allow, else UNKNOWN with the
/// message of proxy/RULES.md#what-kubelet-reads. kubelet strips the code only of UNKNOWN and then
/// knows the message by its first word; any other code shows up as a bare ErrImagePull. The same
/// decision gives the same bytes.
grpc::Status StatusFor(const trust::Decision& decision, std::string_view canonical);

}  // namespace crivet::proxy
