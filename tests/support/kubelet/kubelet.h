// SPDX-License-Identifier: Apache-2.0

// The order of calls with which kubelet brings a container to life, and the requests it sends.
// As observed with kubelet 1.20 to 1.36.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "tests/support/kubelet/cri_client.h"
#include "tests/support/kubelet/waiting_state.h"

namespace crivet::test {

enum class PullPolicy { kAlways, kIfNotPresent, kNever };

// kubelet before 1.28 does not say in CreateContainer what the pod's author wrote.
enum class UserSpecifiedImage { kSent, kNotSent };

struct Pod {
  std::string name = "pod";
  std::string name_space = "default";
  std::string uid = "00000000-0000-0000-0000-000000000001";
  std::string runtime_handler;
  std::string log_root;       // logs go to <log_root>/<namespace>_<name>_<uid>/<container>/0.log
  std::string cgroup_parent;  // "" leaves it to the runtime
};

struct Container {
  std::string name = "main";
  std::string image;  // as the pod's author wrote it
  PullPolicy policy = PullPolicy::kIfNotPresent;
  UserSpecifiedImage user_specified = UserSpecifiedImage::kSent;
  std::vector<std::string> command;        // empty: the image's own
  std::vector<std::string> image_volumes;  // image, mounted at /volumes/0, /volumes/1, …
  runtime::v1::AuthConfig auth;
};

struct Ended {
  int exit_code;
  std::string output;  // stdout and stderr, without the log's prefixes
};

// What kubelet would show, and the status that made it; OK where the refusal is kubelet's own.
struct Failure {
  std::string method;
  grpc::Status status;
  WaitingState shown;
};

template <class T>
using Outcome = tl::expected<T, Failure>;

class Kubelet {
 public:
  // `client` must outlive the object.
  Kubelet(CriClient& client, Pod pod) : client_(client), pod_(std::move(pod)) {}

  // The sandbox's ID. Host network, so that no CNI plugin is needed.
  Outcome<std::string> RunSandbox();

  // Stops and removes the sandbox with what is in it.
  Outcome<void> RemoveSandbox(const std::string& sandbox_id);

  // The image's ID by the rules of the policy: no PullImage when it is present and the policy is
  // not Always.
  Outcome<std::string> EnsureImage(const Container& container);

  // The container's ID. `image_id` is what EnsureImage answered.
  Outcome<std::string> CreateContainer(const std::string& sandbox_id, const Container& container,
                                       const std::string& image_id);
  Outcome<void> StartContainer(const std::string& container_id);

  // Waits for the container's end, at most `seconds`.
  Outcome<Ended> WaitForEnd(const std::string& container_id, int seconds);

  // All of the above: sandbox, image, container, its output, and everything away again.
  Outcome<Ended> Run(const Container& container);

  runtime::v1::PodSandboxConfig SandboxConfig() const;
  runtime::v1::PullImageRequest PullRequest(const Container& container) const;

 private:
  Outcome<Ended> RunInSandbox(const std::string& sandbox_id, const Container& container);
  // "" when the image is absent.
  Outcome<std::string> ImageId(const std::string& image, const std::string& written);
  Outcome<std::string> Pull(const Container& container);

  CriClient& client_;
  Pod pod_;
};

// The text with ":latest" where it has neither tag nor digest.
std::string WithDefaultTag(const std::string& image);

// The lines of a log in CRI's format, without time, stream and flag.
std::string ReadLog(const std::string& path);

}  // namespace crivet::test
