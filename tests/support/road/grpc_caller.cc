// SPDX-License-Identifier: Apache-2.0
#include "tests/support/road/grpc_caller.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace crivet::proxy::testing {
namespace {

Metadata CopyOf(const std::multimap<grpc::string_ref, grpc::string_ref>& fields) {
  Metadata copy;
  for (const auto& [name, value] : fields) {
    copy.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  return copy;
}

}  // namespace

class GrpcCaller::Channel {
 public:
  Channel(const std::string& path, const std::string& authority) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1 << 20);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    // How long one attempt may take, as in grpc-go: who waits in the queue of a socket stays there.
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20'000);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
    channel_ =
        grpc::CreateCustomChannel("unix:" + path, grpc::InsecureChannelCredentials(), arguments);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
  }
  grpc::GenericStub& stub() { return *stub_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

class GrpcCaller::Stream::State {
 public:
  State(grpc::GenericStub& stub, const std::string& method, const CallOptions& options) {
    for (const auto& [name, value] : options.metadata) context.AddMetadata(name, value);
    if (options.timeout) {
      context.set_deadline(std::chrono::system_clock::now() + *options.timeout);
    }
    if (options.compression == CallOptions::Compression::kGzip) {
      context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    call = stub.PrepareCall(&context, method, &queue);
    call->StartCall(nullptr);
    Wait();
  }
  ~State() {
    if (!finished) {
      context.TryCancel();
      grpc::Status status;
      call->Finish(&status, nullptr);
      Wait();
    }
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  bool finished = false;
};

GrpcCaller::Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
GrpcCaller::Stream::Stream(Stream&&) noexcept = default;
GrpcCaller::Stream::~Stream() = default;

bool GrpcCaller::Stream::Write(const std::string& message) {
  const grpc::Slice slice(message);
  state_->call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  return state_->Wait();
}

bool GrpcCaller::Stream::HalfClose() {
  state_->call->WritesDone(nullptr);
  return state_->Wait();
}

std::optional<std::string> GrpcCaller::Stream::Read() {
  grpc::ByteBuffer buffer;
  state_->call->Read(&buffer, nullptr);
  if (!state_->Wait()) return std::nullopt;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return std::nullopt;
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

void GrpcCaller::Stream::Cancel() { state_->context.TryCancel(); }

GrpcCaller::Answer GrpcCaller::Stream::Finish() {
  grpc::Status status;
  state_->call->Finish(&status, nullptr);
  state_->Wait();
  state_->finished = true;
  Answer answer;
  answer.status = {status.error_code(), status.error_message(), status.error_details()};
  answer.initial = CopyOf(state_->context.GetServerInitialMetadata());
  answer.trailing = CopyOf(state_->context.GetServerTrailingMetadata());
  return answer;
}

GrpcCaller::GrpcCaller(const std::string& path, const std::string& authority)
    : channel_(std::make_unique<Channel>(path, authority)) {}
GrpcCaller::~GrpcCaller() = default;

GrpcCaller::Stream GrpcCaller::Open(const std::string& method, const CallOptions& options) {
  return Stream(std::make_unique<Stream::State>(channel_->stub(), method, options));
}

GrpcCaller::Answer GrpcCaller::Unary(const std::string& method, const std::string& message,
                                     const CallOptions& options) {
  Stream stream = Open(method, options);
  stream.Write(message);
  stream.HalfClose();
  auto text = stream.Read();
  Answer answer = stream.Finish();
  answer.message = text.value_or("");
  return answer;
}

}  // namespace crivet::proxy::testing
