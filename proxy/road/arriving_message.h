// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/road/header_block.h"
#include "proxy/road/message_budget.h"

namespace crivet::proxy {

/// ArrivingMessage watches the body of a gated request. gRPC takes a message in whole before the
/// gate hears of it, and of any number of calls at once; so the road reads the five bytes in front
/// of it (gRPC over HTTP/2, "Length-Prefixed-Message") and holds the length that they give until so
/// much has arrived. From then on the gate counts. One thread, the loop's.
class ArrivingMessage {
 public:
  /// For a call of `process` with the headers `request`.
  ArrivingMessage(std::shared_ptr<MessageBudget> budget, pid_t process, const HeaderBlock& request);

  struct Refusal {
    GrpcStatus status;
    std::string message;
  };
  /// Takes note of bytes of the body. Where it answers, the call ends with that.
  std::optional<Refusal> Take(const std::uint8_t* data, std::size_t size);

 private:
  static constexpr std::size_t kPrefixBytes = 5;

  enum class Encoding : std::uint8_t { kNone, kKnown, kUnknown };

  static Encoding EncodingOf(const HeaderBlock& request);
  std::optional<Refusal> Judge();

  MessageBudget::Holding holding_;
  const Encoding encoding_;
  std::array<std::uint8_t, kPrefixBytes> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t arrived_ = 0;  // behind the prefix
};

}  // namespace crivet::proxy
