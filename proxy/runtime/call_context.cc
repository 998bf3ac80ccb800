// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/call_context.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "proxy/steady_deadline.h"

namespace crivet::proxy {
namespace {

// gRPC's own words for a connection that ended under a call: it puts them where the peer's status
// would be, and says that they were received from there.
bool SaysThatConnectionEnded(std::string_view message) {
  constexpr std::string_view kWhole[] = {"GOAWAY received",  "Socket closed",
                                         "Transport closed", "Transport destroyed",
                                         "Stream removed",   "Endpoint read failed"};
  constexpr std::string_view kBeginnings[] = {"recvmsg:", "sendmsg:", "Received RST_STREAM with"};
  return std::find(std::begin(kWhole), std::end(kWhole), message) != std::end(kWhole) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [&](std::string_view beginning) { return message.starts_with(beginning); });
}

std::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// gRPC writes these itself for each connection; a second copy would change what they mean.
bool IsOfTheConnection(std::string_view key) {
  return key.empty() || key.front() == ':' || key.starts_with("grpc-") || key == "user-agent" ||
         key == "content-type" || key == "te" || key == "host";
}

}  // namespace

std::unique_ptr<grpc::ClientContext> SideContext(const grpc::CallbackServerContext& downstream) {
  return grpc::ClientContext::FromCallbackServerContext(downstream);
}

std::unique_ptr<grpc::ClientContext> RelayContext(const grpc::CallbackServerContext& downstream) {
  auto context = SideContext(downstream);
  for (const auto& [key, value] : downstream.client_metadata()) {
    if (IsOfTheConnection(View(key))) continue;
    context->AddMetadata(std::string(View(key)), std::string(View(value)));
  }
  return context;
}

std::unique_ptr<grpc::ClientContext> OwnContext(std::chrono::milliseconds timeout) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(timeout));
  return context;
}

bool CameFromPeer(const grpc::ClientContext& context, const grpc::Status& status) {
  return context.debug_error_string().find("Error received from peer") != std::string::npos &&
         !SaysThatConnectionEnded(status.error_message());
}

void ForNativeApi(grpc::ClientContext& context) {
  context.AddMetadata("containerd-namespace", "k8s.io");
}

void CarryBackInitial(const grpc::ClientContext& upstream,
                      grpc::CallbackServerContext& downstream) {
  for (const auto& [key, value] : upstream.GetServerInitialMetadata()) {
    if (IsOfTheConnection(View(key))) continue;
    downstream.AddInitialMetadata(std::string(View(key)), std::string(View(value)));
  }
}

void CarryBackTrailing(const grpc::ClientContext& upstream,
                       grpc::CallbackServerContext& downstream) {
  for (const auto& [key, value] : upstream.GetServerTrailingMetadata()) {
    // The status carries its details itself (grpc-status-details-bin): once is enough.
    if (IsOfTheConnection(View(key))) continue;
    downstream.AddTrailingMetadata(std::string(View(key)), std::string(View(value)));
  }
}

void CarryBack(const grpc::ClientContext& upstream, grpc::CallbackServerContext& downstream) {
  CarryBackInitial(upstream, downstream);
  CarryBackTrailing(upstream, downstream);
}

}  // namespace crivet::proxy
