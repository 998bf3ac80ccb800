// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kubelet/waiting_state.h"

#include <array>
#include <string_view>
#include <utility>

namespace crivet::test {
namespace {

constexpr std::array<std::string_view, 17> kGoCodeNames = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

// kubelet takes the code off an Unknown, for image calls only; that is how it finds its own two
// words at the start.
std::string ImageError(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNKNOWN ? status.error_message()
                                                          : GoError(status);
}

}  // namespace

std::string GoError(const grpc::Status& status) {
  const auto code = static_cast<size_t>(status.error_code());
  const std::string name(code < kGoCodeNames.size() ? kGoCodeNames[code] : "Code");
  return "rpc error: code = " + name + " desc = " + status.error_message();
}

WaitingState PullFailed(const std::string& image, const grpc::Status& status) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kWords = {{
      {"RegistryUnavailable", "the registry is unavailable"},
      {"SignatureValidationFailed", "the signature validation failed"},
  }};
  const std::string error = ImageError(status);
  for (const auto& [word, because] : kWords) {
    if (error.starts_with(word)) {
      return {std::string(word), "image pull failed for " + image + " because " +
                                     std::string(because) + error.substr(word.size())};
    }
  }
  return {"ErrImagePull", error};
}

WaitingState NeverPull(const std::string& image) {
  return {"ErrImageNeverPull",
          "Container image \"" + image + "\" is not present with pull policy of Never"};
}

WaitingState InspectFailed(const std::string& image, const grpc::Status& status) {
  return {"ImageInspectError", "Failed to inspect image \"" + image + "\": " + ImageError(status)};
}

WaitingState SandboxFailed(const grpc::Status& status) {
  return {"FailedCreatePodSandBox", "Failed to create pod sandbox: " + GoError(status)};
}

WaitingState CreateFailed(const grpc::Status& status) {
  return {"CreateContainerError", GoError(status)};
}

WaitingState StartFailed(const grpc::Status& status) {
  return {"RunContainerError", GoError(status)};
}

}  // namespace crivet::test
