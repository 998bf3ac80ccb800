// SPDX-License-Identifier: Apache-2.0

// A CRI client over a unix socket that looks like kubelet's on the wire: content-type
// application/grpc, :authority localhost, answers of at most 16 MiB.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "runtime/v1/api.grpc.pb.h"

namespace crivet::test {

template <class Response>
using Answer = tl::expected<Response, grpc::Status>;

struct CallSettings {
  // Of each call; none waits for ever.
  std::optional<std::chrono::milliseconds> deadline;
  std::multimap<std::string, std::string> metadata;
};

// Not thread-safe. Every call blocks until it is answered.
class CriClient {
 public:
  // `socket` is a path. Nothing is connected yet: the first call does it, and fails with
  // UNAVAILABLE when nobody listens. `record`, when given, gets one JSON line for each call and
  // must outlive the client.
  CriClient(const std::string& socket, CallSettings settings, std::ostream* record);

  // Calls a unary method: client.Call(&runtime::v1::ImageService::Stub::PullImage, request).
  template <class Stub, class Request, class Response>
  Answer<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) {
    const auto context = NewContext();
    Response response;
    const grpc::Status status = (StubFor<Stub>()->*method)(context.get(), request, &response);
    Record(request, status, response);
    if (!status.ok()) {
      return tl::unexpected(status);
    }
    return response;
  }

  // Calls any method by its full path with the bytes of one message and collects the messages of
  // the answer.
  Answer<std::vector<std::string>> CallRaw(const std::string& path, const std::string& message);

  // Reads container events until the stream ends or `count` have come; each goes to `on_event`.
  template <class OnEvent>
  grpc::Status ReadEvents(int count, OnEvent on_event) {
    const auto context = NewContext();
    const auto reader = runtime_->GetContainerEvents(context.get(), {});
    runtime::v1::ContainerEventResponse event;
    while (reader->Read(&event)) {
      on_event(event);
      if (--count == 0) {
        context->TryCancel();
        return grpc::Status::OK;
      }
    }
    return reader->Finish();
  }

 private:
  std::unique_ptr<grpc::ClientContext> NewContext() const;
  void Record(const google::protobuf::Message& request, const grpc::Status& status,
              const google::protobuf::Message& response);

  template <class Stub>
  Stub* StubFor() {
    if constexpr (std::is_same_v<Stub, runtime::v1::RuntimeService::Stub>) {
      return runtime_.get();
    } else {
      static_assert(std::is_same_v<Stub, runtime::v1::ImageService::Stub>);
      return images_.get();
    }
  }

  CallSettings settings_;
  std::ostream* record_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<runtime::v1::RuntimeService::Stub> runtime_;
  std::unique_ptr<runtime::v1::ImageService::Stub> images_;
};

// The message as JSON on one line, fields named as in the .proto and sorted.
std::string ToJson(const google::protobuf::Message& message);

// "UNKNOWN", "NOT_FOUND": as gRPC's specification writes it.
std::string CodeName(grpc::StatusCode code);

}  // namespace crivet::test
