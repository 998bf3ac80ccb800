// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/gate_probe.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>

#include "proxy/steady_deadline.h"

namespace crivet::proxy {

class GateProbe::Channel {
 public:
  explicit Channel(int fd)
      : channel_(grpc::CreateInsecureChannelFromFd("gate", fd)), stub_(channel_) {}

  grpc::StatusCode Ask(gpr_timespec deadline) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    grpc::CompletionQueue queue;
    grpc::ByteBuffer nothing;
    grpc::ByteBuffer answer;
    grpc::Status status;
    auto call = stub_.PrepareUnaryCall(&context, "/crivet.Watchdog/Answer", nothing, &queue);
    call->StartCall();
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    // The call's own deadline ends this, also where the server hangs.
    queue.Next(&tag, &ok);
    queue.Shutdown();
    return status.error_code();
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

GateProbe::GateProbe(std::function<int()> connect) : connect_(std::move(connect)) {}
GateProbe::~GateProbe() = default;

bool GateProbe::Answers(std::chrono::milliseconds timeout) {
  const gpr_timespec deadline = DeadlineIn(timeout);
  if (channel_ == nullptr) {
    const int fd = connect_();
    if (fd < 0) return false;
    channel_ = std::make_unique<Channel>(fd);
  }
  if (channel_->Ask(deadline) == grpc::StatusCode::UNIMPLEMENTED) return true;
  // The next probe tries a new connection: this one may have ended for a good reason.
  channel_.reset();
  return false;
}

}  // namespace crivet::proxy
