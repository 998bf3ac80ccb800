// SPDX-License-Identifier: Apache-2.0

// road_echo SOCKET: the runtime of the road's measurements. Answers every unary call with its own
// message, and GetContainerEvents as a stream: each message comes back until the client has no
// more. On one thread, with as little of gRPC++ as there is. Until it is killed.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>
#include <string>

namespace {

// One call: wait for it, read, write and finish; a stream reads again instead.
class EchoCall {
 public:
  EchoCall(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), stream_(&context_) {
    service_.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }

  void Advance(bool ok) {
    switch (step_) {
      case Step::kAccepted:
        if (!ok) break;
        new EchoCall(service_, queue_);
        is_stream_ = context_.method() == "/runtime.v1.RuntimeService/GetContainerEvents";
        return Read();
      case Step::kWritten:
        return Read();
      case Step::kRead:
        if (ok && is_stream_) {
          step_ = Step::kWritten;
          return stream_.Write(message_, this);
        }
        step_ = Step::kFinished;
        if (!ok) return stream_.Finish(grpc::Status::OK, this);
        return stream_.WriteAndFinish(message_, {}, grpc::Status::OK, this);
      case Step::kFinished:
        break;
    }
    delete this;
  }

 private:
  enum class Step { kAccepted, kRead, kWritten, kFinished };

  void Read() {
    step_ = Step::kRead;
    stream_.Read(&message_, this);
  }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  Step step_ = Step::kAccepted;
  bool is_stream_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: road_echo SOCKET\n", stderr);
    return 64;
  }
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("unix:") + argv[1], grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&service);
  builder.SetMaxReceiveMessageSize(-1);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (!server) return 70;
  new EchoCall(service, *queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<EchoCall*>(tag)->Advance(ok);
  return 0;
}
