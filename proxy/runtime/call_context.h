// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <chrono>
#include <memory>

namespace crivet::proxy {

/// RelayContext is for the upstream call that answers a downstream one: deadline, cancellation and
/// the caller's metadata are carried over.
std::unique_ptr<grpc::ClientContext> RelayContext(const grpc::CallbackServerContext& downstream);

/// SideContext is for calls that the gate makes to find something out for a downstream one: they
/// end with it, and carry nothing else of it.
std::unique_ptr<grpc::ClientContext> SideContext(const grpc::CallbackServerContext& downstream);

/// OwnContext is for what goes on whatever the client does, within `timeout`.
std::unique_ptr<grpc::ClientContext> OwnContext(std::chrono::milliseconds timeout);

/// ForNativeApi adds what containerd's own API wants to know: the namespace of CRI's images.
void ForNativeApi(grpc::ClientContext& context);

/// CameFromPeer is whether the runtime itself sent the status that a call ended with; anything else
/// was made on our side of the socket, also where gRPC says of a connection that ended that it came
/// from there.
bool CameFromPeer(const grpc::ClientContext& context, const grpc::Status& status);

/// CarryBack hands the runtime's initial and trailing metadata to the caller. Call it when the
/// upstream call is over, before the downstream one ends.
void CarryBack(const grpc::ClientContext& upstream, grpc::CallbackServerContext& downstream);

/// The halves of CarryBack for a stream: the first when the first message is here and before one is
/// sent on, the second at its end.
void CarryBackInitial(const grpc::ClientContext& upstream, grpc::CallbackServerContext& downstream);
void CarryBackTrailing(const grpc::ClientContext& upstream,
                       grpc::CallbackServerContext& downstream);

}  // namespace crivet::proxy
