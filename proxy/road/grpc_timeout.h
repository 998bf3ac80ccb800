// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace crivet::proxy {

/// ParseGrpcTimeout reads a `grpc-timeout` value: one to eight digits and a unit (H M S m u n).
/// Anything else is nothing: the runtime judges it.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view value);

}  // namespace crivet::proxy
