// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>
#include <sys/types.h>

#include <memory>
#include <utility>

#include "proxy/road/message_budget.h"

namespace crivet::proxy {

/// GatedMessage is a request that was read as it came, compressed or not, within a budget: gRPC
/// would inflate a few bytes to any size, and a parser makes large objects out of two bytes each.
/// One thread at a time.
template <typename Request>
class GatedMessage {
 public:
  /// `budget` counts for `process`.
  GatedMessage(std::shared_ptr<MessageBudget> budget, pid_t process);
  GatedMessage(const GatedMessage&) = delete;
  GatedMessage& operator=(const GatedMessage&) = delete;

  /// Reads the request. RESOURCE_EXHAUSTED where it is larger than it may be or there is no room,
  /// INTERNAL where it cannot be read.
  grpc::Status Read(grpc::ByteBuffer bytes);

  const Request& operator*() const { return *request_; }

 private:
  MessageBudget::Holding holding_;
  google::protobuf::Arena arena_;
  Request* const request_;
};

/// ReadMessage reads `bytes` into `message`, which lives in `arena`: what GatedMessage does.
grpc::Status ReadMessage(grpc::ByteBuffer bytes, MessageBudget::Holding& holding,
                         const google::protobuf::Arena& arena,
                         google::protobuf::MessageLite& message);

/// WriteMessage turns an answer into bytes, in place of what they were. INTERNAL where it is larger
/// than gRPC can send.
template <typename Response>
grpc::Status WriteMessage(const Response& response, grpc::ByteBuffer& bytes) {
  bytes.Clear();
  bool owns = false;
  return grpc::SerializationTraits<Response>::Serialize(response, &bytes, &owns);
}

template <typename Request>
GatedMessage<Request>::GatedMessage(std::shared_ptr<MessageBudget> budget, pid_t process)
    : holding_(std::move(budget), process),
      request_(google::protobuf::Arena::CreateMessage<Request>(&arena_)) {}

template <typename Request>
grpc::Status GatedMessage<Request>::Read(grpc::ByteBuffer bytes) {
  return ReadMessage(std::move(bytes), holding_, arena_, *request_);
}

}  // namespace crivet::proxy
