// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kubelet/kubelet.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

namespace crivet::test {
namespace {

using runtime::v1::ImageService;
using runtime::v1::NamespaceMode;
using runtime::v1::RuntimeService;

std::string LogDirectory(const Pod& pod) {
  return pod.log_root + "/" + pod.name_space + "_" + pod.name + "_" + pod.uid;
}

template <class Function>
auto FailureOf(const char* method, Function show) {
  return [method, show](const grpc::Status& status) {
    return Failure{method, status, show(status)};
  };
}

}  // namespace

runtime::v1::PodSandboxConfig Kubelet::SandboxConfig() const {
  runtime::v1::PodSandboxConfig config;
  config.mutable_metadata()->set_name(pod_.name);
  config.mutable_metadata()->set_namespace_(pod_.name_space);
  config.mutable_metadata()->set_uid(pod_.uid);
  config.set_log_directory(LogDirectory(pod_));
  // Without one the runtime reads the node's /etc/resolv.conf, which need not exist.
  config.mutable_dns_config()->add_servers("127.0.0.1");
  (*config.mutable_labels())["io.kubernetes.pod.name"] = pod_.name;
  (*config.mutable_labels())["io.kubernetes.pod.namespace"] = pod_.name_space;
  (*config.mutable_labels())["io.kubernetes.pod.uid"] = pod_.uid;
  config.mutable_linux()->set_cgroup_parent(pod_.cgroup_parent);
  auto* namespaces =
      config.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  namespaces->set_network(NamespaceMode::NODE);
  namespaces->set_pid(NamespaceMode::CONTAINER);
  return config;
}

runtime::v1::PullImageRequest Kubelet::PullRequest(const Container& container) const {
  runtime::v1::PullImageRequest request;
  request.mutable_image()->set_image(WithDefaultTag(container.image));
  if (container.auth.ByteSizeLong() > 0) {
    *request.mutable_auth() = container.auth;
  }
  *request.mutable_sandbox_config() = SandboxConfig();
  return request;
}

Outcome<std::string> Kubelet::RunSandbox() {
  std::error_code ignored;
  std::filesystem::create_directories(LogDirectory(pod_), ignored);
  runtime::v1::RunPodSandboxRequest request;
  *request.mutable_config() = SandboxConfig();
  request.set_runtime_handler(pod_.runtime_handler);
  return client_.Call(&RuntimeService::Stub::RunPodSandbox, request)
      .map([](const auto& response) { return response.pod_sandbox_id(); })
      .map_error(FailureOf("RunPodSandbox", SandboxFailed));
}

Outcome<void> Kubelet::RemoveSandbox(const std::string& sandbox_id) {
  runtime::v1::StopPodSandboxRequest stop;
  stop.set_pod_sandbox_id(sandbox_id);
  runtime::v1::RemovePodSandboxRequest remove;
  remove.set_pod_sandbox_id(sandbox_id);
  const auto stopped = client_.Call(&RuntimeService::Stub::StopPodSandbox, stop);
  if (!stopped) {
    return tl::unexpected(
        Failure{"StopPodSandbox", stopped.error(), SandboxFailed(stopped.error())});
  }
  return client_.Call(&RuntimeService::Stub::RemovePodSandbox, remove)
      .map([](const auto&) {})
      .map_error(FailureOf("RemovePodSandbox", SandboxFailed));
}

Outcome<std::string> Kubelet::ImageId(const std::string& image, const std::string& written) {
  runtime::v1::ImageStatusRequest request;
  request.mutable_image()->set_image(image);
  return client_.Call(&ImageService::Stub::ImageStatus, request)
      .map([](const auto& response) { return response.image().id(); })
      .map_error(FailureOf("ImageStatus", [&written](const grpc::Status& status) {
        return InspectFailed(written, status);
      }));
}

Outcome<std::string> Kubelet::Pull(const Container& container) {
  return client_.Call(&ImageService::Stub::PullImage, PullRequest(container))
      .map([](const auto& response) { return response.image_ref(); })
      .map_error(FailureOf("PullImage", [&container](const grpc::Status& status) {
        return PullFailed(container.image, status);
      }));
}

Outcome<std::string> Kubelet::EnsureImage(const Container& container) {
  std::string image_id;
  if (container.policy != PullPolicy::kAlways) {
    const auto present = ImageId(WithDefaultTag(container.image), container.image);
    if (!present) {
      return present;
    }
    image_id = *present;
  }
  if (image_id.empty()) {
    if (container.policy == PullPolicy::kNever) {
      return tl::unexpected(Failure{"ImageStatus", grpc::Status::OK, NeverPull(container.image)});
    }
    const auto pulled = Pull(container);
    if (!pulled) {
      return pulled;
    }
    image_id = *pulled;
  }
  // kubelet asks once more, for the image's user, by the text as written.
  return ImageId(container.image, container.image).map([&image_id](const std::string&) {
    return image_id;
  });
}

Outcome<std::string> Kubelet::CreateContainer(const std::string& sandbox_id,
                                              const Container& container,
                                              const std::string& image_id) {
  std::error_code ignored;
  std::filesystem::create_directories(LogDirectory(pod_) + "/" + container.name, ignored);
  runtime::v1::CreateContainerRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  *request.mutable_sandbox_config() = SandboxConfig();
  runtime::v1::ContainerConfig& config = *request.mutable_config();
  config.mutable_metadata()->set_name(container.name);
  config.mutable_image()->set_image(image_id);
  if (container.user_specified == UserSpecifiedImage::kSent) {
    config.mutable_image()->set_user_specified_image(container.image);
  }
  for (const std::string& word : container.command) {
    config.add_command(word);
  }
  for (const std::string& image : container.image_volumes) {
    runtime::v1::Mount& mount = *config.add_mounts();
    mount.set_container_path("/volumes/" + std::to_string(config.mounts_size() - 1));
    mount.set_readonly(true);
    mount.mutable_image()->set_image(image);
  }
  config.set_log_path(container.name + "/0.log");
  *config.mutable_labels() = request.sandbox_config().labels();
  (*config.mutable_labels())["io.kubernetes.container.name"] = container.name;
  *config.mutable_linux()->mutable_security_context()->mutable_namespace_options() =
      request.sandbox_config().linux().security_context().namespace_options();
  return client_.Call(&RuntimeService::Stub::CreateContainer, request)
      .map([](const auto& response) { return response.container_id(); })
      .map_error(FailureOf("CreateContainer", CreateFailed));
}

Outcome<void> Kubelet::StartContainer(const std::string& container_id) {
  runtime::v1::StartContainerRequest request;
  request.set_container_id(container_id);
  return client_.Call(&RuntimeService::Stub::StartContainer, request)
      .map([](const auto&) {})
      .map_error(FailureOf("StartContainer", StartFailed));
}

Outcome<Ended> Kubelet::WaitForEnd(const std::string& container_id, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  runtime::v1::ContainerStatusRequest request;
  request.set_container_id(container_id);
  while (true) {
    const auto answer = client_.Call(&RuntimeService::Stub::ContainerStatus, request);
    if (!answer) {
      return tl::unexpected(
          Failure{"ContainerStatus", answer.error(), StartFailed(answer.error())});
    }
    const runtime::v1::ContainerStatus& status = answer->status();
    if (status.state() == runtime::v1::CONTAINER_EXITED) {
      // On a busy machine the runtime tells the end before it has written the last of the output.
      std::string log = ReadLog(status.log_path());
      for (int again = 0; log.empty() && again < 20; ++again) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        log = ReadLog(status.log_path());
      }
      return Ended{status.exit_code(), std::move(log)};
    }
    if (std::chrono::steady_clock::now() > end) {
      const grpc::Status late(grpc::StatusCode::DEADLINE_EXCEEDED, "the container did not end");
      return tl::unexpected(Failure{"ContainerStatus", late, StartFailed(late)});
    }
    // The runtime says when it is over only to those who ask; events exist from containerd 1.7 on.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Outcome<Ended> Kubelet::RunInSandbox(const std::string& sandbox_id, const Container& container) {
  constexpr int kSeconds = 30;
  return EnsureImage(container)
      .and_then([&](const std::string& image_id) {
        return CreateContainer(sandbox_id, container, image_id);
      })
      .and_then([&](const std::string& container_id) {
        return StartContainer(container_id).and_then([&] {
          return WaitForEnd(container_id, kSeconds);
        });
      });
}

Outcome<Ended> Kubelet::Run(const Container& container) {
  return RunSandbox().and_then([&](const std::string& sandbox_id) -> Outcome<Ended> {
    Outcome<Ended> ended = RunInSandbox(sandbox_id, container);
    const auto removed = RemoveSandbox(sandbox_id);
    std::error_code ignored;
    std::filesystem::remove_all(LogDirectory(pod_), ignored);
    if (ended && !removed) {
      return tl::unexpected(removed.error());
    }
    return ended;
  });
}

std::string WithDefaultTag(const std::string& image) {
  const size_t last = image.rfind('/') == std::string::npos ? 0 : image.rfind('/');
  return image.find_first_of(":@", last) == std::string::npos ? image + ":latest" : image;
}

std::string ReadLog(const std::string& path) {
  std::ifstream file(path);
  std::string output;
  for (std::string line; std::getline(file, line);) {
    // <time> <stream> <F or P> <text>; P: the line goes on.
    const size_t stream = line.find(' ') + 1;
    const size_t flag = line.find(' ', stream) + 1;
    output += line.substr(flag + 2);
    if (line[flag] == 'F') {
      output += '\n';
    }
  }
  return output;
}

}  // namespace crivet::test
