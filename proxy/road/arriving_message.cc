// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/arriving_message.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace crivet::proxy {

ArrivingMessage::ArrivingMessage(std::shared_ptr<MessageBudget> budget, pid_t process,
                                 const HeaderBlock& request)
    : holding_(std::move(budget), process), encoding_(EncodingOf(request)) {}

ArrivingMessage::Encoding ArrivingMessage::EncodingOf(const HeaderBlock& request) {
  const std::string_view encoding = request.Find("grpc-encoding");
  if (encoding.empty() || encoding == "identity") return Encoding::kNone;
  return encoding == "gzip" || encoding == "deflate" ? Encoding::kKnown : Encoding::kUnknown;
}

std::optional<ArrivingMessage::Refusal> ArrivingMessage::Take(const std::uint8_t* data,
                                                              std::size_t size) {
  const std::size_t of_prefix = std::min(size, kPrefixBytes - prefix_size_);
  std::copy_n(data, of_prefix, prefix_.begin() + prefix_size_);
  prefix_size_ += of_prefix;
  arrived_ += size - of_prefix;
  return prefix_size_ == kPrefixBytes ? Judge() : std::nullopt;
}

std::optional<ArrivingMessage::Refusal> ArrivingMessage::Judge() {
  // The gate's library would take either for a plain message (gRPC's compression.md).
  if (prefix_[0] > 1 || (prefix_[0] == 1 && encoding_ == Encoding::kNone)) {
    return Refusal{GrpcStatus::kInternal,
                   "the message's compressed flag does not go with the call's grpc-encoding"};
  }
  if (prefix_[0] == 1 && encoding_ == Encoding::kUnknown) {
    return Refusal{GrpcStatus::kUnimplemented,
                   "crivet knows gzip, deflate and identity as grpc-encoding"};
  }
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) length = length << 8 | prefix_[i];
  const MessageBudget& budget = holding_.budget();
  if (length > budget.limits().message) {
    return Refusal{GrpcStatus::kResourceExhausted, budget.TooLarge()};
  }
  // What follows a message belongs to nothing, and nobody reads it.
  const std::size_t unread = arrived_ < length ? length : arrived_ - length;
  if (holding_.Hold(unread)) return std::nullopt;
  return Refusal{GrpcStatus::kResourceExhausted, budget.NoRoom()};
}

}  // namespace crivet::proxy
