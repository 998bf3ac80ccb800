#include "proxy/runtime_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "proxy/steady_deadline.h"

namespace crivet::proxy {

std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> BlockingContext(std::chrono::milliseconds limit) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(limit));
  context->set_wait_for_ready(true);
  return context;
}

}  // namespace crivet::proxy
