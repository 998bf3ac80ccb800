// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kubelet/cri_client.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace crivet::test {
namespace {

constexpr int kMaxMessage = 16 * 1024 * 1024;  // bytes; kubelet's own limit

std::shared_ptr<grpc::Channel> Connect(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetMaxSendMessageSize(kMaxMessage);
  return grpc::CreateCustomChannel("unix://" + socket, grpc::InsecureChannelCredentials(),
                                   arguments);
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return bytes;
}

// "runtime.v1.PullImageRequest" -> "PullImage"
std::string MethodName(const google::protobuf::Message& request) {
  std::string name = request.GetDescriptor()->name();
  return name.substr(0, name.rfind("Request"));
}

}  // namespace

CriClient::CriClient(const std::string& socket, CallSettings settings, std::ostream* record)
    : settings_(std::move(settings)),
      record_(record),
      channel_(Connect(socket)),
      runtime_(runtime::v1::RuntimeService::NewStub(channel_)),
      images_(runtime::v1::ImageService::NewStub(channel_)) {}

std::unique_ptr<grpc::ClientContext> CriClient::NewContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (settings_.deadline) {
    context->set_deadline(std::chrono::system_clock::now() + *settings_.deadline);
  }
  for (const auto& [key, value] : settings_.metadata) {
    context->AddMetadata(key, value);
  }
  return context;
}

Answer<std::vector<std::string>> CriClient::CallRaw(const std::string& path,
                                                    const std::string& message) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  const auto context = NewContext();
  const auto call = stub.PrepareCall(context.get(), path, &queue);
  // One operation at a time, so that the tag carries no meaning.
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  std::vector<std::string> messages;
  call->StartCall(nullptr);
  if (done()) {
    call->WriteLast(ToBuffer(message), grpc::WriteOptions(), nullptr);
    done();
    grpc::ByteBuffer answer;
    for (call->Read(&answer, nullptr); done(); call->Read(&answer, nullptr)) {
      messages.push_back(ToString(answer));
    }
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  if (!status.ok()) {
    return tl::unexpected(status);
  }
  return messages;
}

void CriClient::Record(const google::protobuf::Message& request, const grpc::Status& status,
                       const google::protobuf::Message& response) {
  if (record_ == nullptr) {
    return;
  }
  nlohmann::ordered_json line;
  line["method"] = MethodName(request);
  line["request"] = nlohmann::json::parse(ToJson(request));
  line["code"] = CodeName(status.error_code());
  if (status.ok()) {
    line["response"] = nlohmann::json::parse(ToJson(response));
  } else {
    line["message"] = status.error_message();
  }
  *record_ << line.dump() << std::endl;
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return "{}";
  }
  // Maps come in any order, and so do the runtime's lists: sorted, equal answers give equal text.
  nlohmann::json sorted = nlohmann::json::parse(json);
  for (const char* list : {"images", "containers", "items"}) {
    if (sorted.contains(list)) {
      std::sort(sorted[list].begin(), sorted[list].end());
    }
  }
  return sorted.dump();
}

std::string CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::UNKNOWN:
      return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::DO_NOT_USE:
      break;
  }
  return std::to_string(static_cast<int>(code));
}

}  // namespace crivet::test
