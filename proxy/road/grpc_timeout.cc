// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/grpc_timeout.h"

#include <charconv>
#include <cstdint>

namespace crivet::proxy {

std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view value) {
  using namespace std::chrono_literals;
  if (value.size() < 2 || value.size() > 9) return std::nullopt;
  std::int64_t amount = 0;
  const char* end = value.data() + value.size() - 1;
  const auto [stop, error] = std::from_chars(value.data(), end, amount);
  if (error != std::errc() || stop != end || amount < 0 || value.front() == '-') {
    return std::nullopt;
  }
  switch (value.back()) {
    case 'H':
      return amount < 1'000'000 ? std::optional(amount * 1h) : std::nullopt;
    case 'M':
      return amount * 1min;
    case 'S':
      return amount * 1s;
    case 'm':
      return amount * 1ms;
    case 'u':
      return amount * 1us;
    case 'n':
      return amount * 1ns;
    default:
      return std::nullopt;
  }
}

}  // namespace crivet::proxy
