// SPDX-License-Identifier: Apache-2.0

// What a person reads in `kubectl describe pod` when a CRI call fails: the reason and the message
// of the container's waiting state, in kubelet's own words. Source: kubelet's remote_image.go,
// image_manager.go and kuberuntime_container.go, 1.29 to 1.34.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

namespace crivet::test {

struct WaitingState {
  std::string reason;  // "SignatureValidationFailed", "ErrImagePull"
  std::string message;
};

// `image` is the pod's text.
WaitingState PullFailed(const std::string& image, const grpc::Status& status);
WaitingState NeverPull(const std::string& image);
WaitingState InspectFailed(const std::string& image, const grpc::Status& status);
WaitingState SandboxFailed(const grpc::Status& status);
WaitingState CreateFailed(const grpc::Status& status);
WaitingState StartFailed(const grpc::Status& status);

// "rpc error: code = Unavailable desc = …": how gRPC for Go prints an error.
std::string GoError(const grpc::Status& status);

}  // namespace crivet::test
