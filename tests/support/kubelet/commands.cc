// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kubelet/commands.h"

#include <poll.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace crivet::test {
namespace {

using runtime::v1::ImageService;
using runtime::v1::RuntimeService;

// Prints the answer as JSON, or what `text` makes of it.
template <class Response, class Text>
int Print(const Flags& flags, const std::string& method, const Answer<Response>& answer,
          Text text) {
  if (!answer) {
    return Report(flags, method, answer.error());
  }
  if (flags.json) {
    std::cout << ToJson(*answer) << "\n";
    return 0;
  }
  return text(*answer);
}

int PrintOutcome(const Flags& flags, const Outcome<std::string>& outcome) {
  if (!outcome) {
    return Report(flags, outcome.error());
  }
  std::cout << *outcome << "\n";
  return 0;
}

int PrintOutcome(const Flags& flags, const Outcome<void>& outcome) {
  return outcome ? 0 : Report(flags, outcome.error());
}

void PrintImage(const runtime::v1::Image& image) {
  std::cout << image.id() << "\n";
  for (const std::string& tag : image.repo_tags()) {
    std::cout << "  " << tag << "\n";
  }
  for (const std::string& digest : image.repo_digests()) {
    std::cout << "  " << digest << "\n";
  }
}

int PrintEnded(const Flags& flags, const Outcome<Ended>& ended) {
  if (!ended) {
    return Report(flags, ended.error());
  }
  std::cout << ended->output;
  return ended->exit_code;
}

}  // namespace

int Report(const Flags& flags, const Failure& failure) {
  if (flags.json) {
    std::cout << nlohmann::ordered_json{{"method", failure.method},
                                        {"code", CodeName(failure.status.error_code())},
                                        {"message", failure.status.error_message()},
                                        {"reason", failure.shown.reason},
                                        {"shown", failure.shown.message}}
                     .dump()
              << "\n";
  } else {
    std::cerr << failure.shown.reason << ": " << failure.shown.message << "\n";
  }
  return kFailed;
}

int Report(const Flags& flags, const std::string& method, const grpc::Status& status) {
  return Report(flags, Failure{method, status, {method, GoError(status)}});
}

int Version(CriClient& client, const Flags& flags) {
  return Print(flags, "Version", client.Call(&RuntimeService::Stub::Version, {}),
               [](const auto& response) {
                 std::cout << response.runtime_name() << " " << response.runtime_version() << "\n";
                 return 0;
               });
}

int Status(CriClient& client, const Flags& flags) {
  runtime::v1::StatusRequest request;
  request.set_verbose(flags.verbose);
  return Print(flags, "Status", client.Call(&RuntimeService::Stub::Status, request),
               [&flags](const auto& response) {
                 bool ready = false;
                 for (const auto& condition : response.status().conditions()) {
                   ready |= condition.type() == "RuntimeReady" && condition.status();
                   std::cout << condition.type() << "=" << condition.status() << "\n";
                 }
                 if (flags.verbose) std::cout << ToJson(response) << "\n";
                 return ready || !flags.ready ? 0 : kFailed;
               });
}

int FsInfo(CriClient& client, const Flags& flags) {
  return Print(flags, "ImageFsInfo", client.Call(&ImageService::Stub::ImageFsInfo, {}),
               [](const auto& response) {
                 std::cout << ToJson(response) << "\n";
                 return 0;
               });
}

// On one connection, as kubelet has it. The slowest call tells how long a caller had to wait.
int Load(CriClient& client, const Flags& flags) {
  using Clock = std::chrono::steady_clock;
  runtime::v1::ImageStatusRequest image;
  image.mutable_image()->set_image(flags.image);
  int answered = 0;
  Clock::duration slowest{0};
  const auto time = [&](const char* method, const auto& call) {
    const Clock::time_point started = Clock::now();
    const auto answer = call();
    slowest = std::max(slowest, Clock::now() - started);
    if (!answer) return Report(flags, method, answer.error());
    ++answered;
    return 0;
  };
  pollfd input{STDIN_FILENO, POLLIN, 0};
  int failed = 0;
  while (failed == 0 && poll(&input, 1, 0) == 0) {
    failed |= time("Version", [&] { return client.Call(&RuntimeService::Stub::Version, {}); });
    failed |=
        time("ImageFsInfo", [&] { return client.Call(&ImageService::Stub::ImageFsInfo, {}); });
    failed |=
        time("ImageStatus", [&] { return client.Call(&ImageService::Stub::ImageStatus, image); });
    if (failed == 0 && answered == 3) std::cout << "calling" << std::endl;
  }
  std::cout << answered << " calls answered, the slowest after "
            << std::chrono::duration_cast<std::chrono::milliseconds>(slowest).count() << " ms\n";
  return failed;
}

int Pull(CriClient& client, const Flags& flags) {
  Kubelet kubelet(client, flags.pod);
  const auto answer =
      client.Call(&ImageService::Stub::PullImage, kubelet.PullRequest(flags.container));
  if (!answer) {
    return Report(flags, Failure{"PullImage", answer.error(),
                                 PullFailed(flags.container.image, answer.error())});
  }
  return Print(flags, "PullImage", answer, [](const auto& response) {
    std::cout << response.image_ref() << "\n";
    return 0;
  });
}

int ImageStatus(CriClient& client, const Flags& flags) {
  runtime::v1::ImageStatusRequest request;
  request.mutable_image()->set_image(flags.image);
  request.set_verbose(flags.verbose);
  const auto answer = client.Call(&ImageService::Stub::ImageStatus, request);
  if (!answer) {
    return Report(
        flags, Failure{"ImageStatus", answer.error(), InspectFailed(flags.image, answer.error())});
  }
  const int printed = Print(flags, "ImageStatus", answer, [](const auto& response) {
    if (response.has_image()) {
      PrintImage(response.image());
    }
    return 0;
  });
  return answer->has_image() ? printed : kAbsent;
}

int Images(CriClient& client, const Flags& flags) {
  runtime::v1::ListImagesRequest request;
  if (!flags.image.empty()) {
    request.mutable_filter()->mutable_image()->set_image(flags.image);
  }
  return Print(flags, "ListImages", client.Call(&ImageService::Stub::ListImages, request),
               [](const auto& response) {
                 for (const auto& image : response.images()) {
                   PrintImage(image);
                 }
                 return 0;
               });
}

int RemoveImage(CriClient& client, const Flags& flags) {
  runtime::v1::RemoveImageRequest request;
  request.mutable_image()->set_image(flags.image);
  return Print(flags, "RemoveImage", client.Call(&ImageService::Stub::RemoveImage, request),
               [](const auto&) { return 0; });
}

int Create(CriClient& client, const Flags& flags) {
  // The image goes as it was given: an ID is what kubelet sends, a name or a path is what an
  // attacker may try.
  return PrintOutcome(
      flags, Kubelet(client, flags.pod).CreateContainer(flags.id, flags.container, flags.image));
}

int StopContainer(CriClient& client, const Flags& flags) {
  runtime::v1::StopContainerRequest request;
  request.set_container_id(flags.id);
  return Print(flags, "StopContainer", client.Call(&RuntimeService::Stub::StopContainer, request),
               [](const auto&) { return 0; });
}

int RemoveContainer(CriClient& client, const Flags& flags) {
  runtime::v1::RemoveContainerRequest request;
  request.set_container_id(flags.id);
  return Print(flags, "RemoveContainer",
               client.Call(&RuntimeService::Stub::RemoveContainer, request),
               [](const auto&) { return 0; });
}

int ContainerStatus(CriClient& client, const Flags& flags) {
  runtime::v1::ContainerStatusRequest request;
  request.set_container_id(flags.id);
  request.set_verbose(flags.verbose);
  return Print(flags, "ContainerStatus",
               client.Call(&RuntimeService::Stub::ContainerStatus, request),
               [](const auto& response) {
                 std::cout << runtime::v1::ContainerState_Name(response.status().state()) << " "
                           << response.status().image().image() << "\n";
                 return 0;
               });
}

int Containers(CriClient& client, const Flags& flags) {
  return Print(flags, "ListContainers", client.Call(&RuntimeService::Stub::ListContainers, {}),
               [](const auto& response) {
                 for (const auto& container : response.containers()) {
                   std::cout << container.id() << " " << container.image().image() << "\n";
                 }
                 return 0;
               });
}

int Pods(CriClient& client, const Flags& flags) {
  return Print(flags, "ListPodSandbox", client.Call(&RuntimeService::Stub::ListPodSandbox, {}),
               [](const auto& response) {
                 for (const auto& pod : response.items()) {
                   std::cout << pod.id() << " " << pod.metadata().namespace_() << "/"
                             << pod.metadata().name() << "\n";
                 }
                 return 0;
               });
}

int Exec(CriClient& client, const Flags& flags) {
  runtime::v1::ExecSyncRequest request;
  request.set_container_id(flags.id);
  for (const std::string& word : flags.container.command) {
    request.add_cmd(word);
  }
  return Print(flags, "ExecSync", client.Call(&RuntimeService::Stub::ExecSync, request),
               [](const auto& response) {
                 std::cout << response.stdout();
                 std::cerr << response.stderr();
                 return response.exit_code();
               });
}

int Events(CriClient& client, const Flags& flags) {
  const auto status = client.ReadEvents(
      flags.count, [](const auto& event) { std::cout << ToJson(event) << std::endl; });
  return status.ok() ? 0 : Report(flags, "GetContainerEvents", status);
}

int RunPod(CriClient& client, const Flags& flags) {
  return PrintOutcome(flags, Kubelet(client, flags.pod).RunSandbox());
}

int StopPod(CriClient& client, const Flags& flags) {
  return PrintOutcome(flags, Kubelet(client, flags.pod).RemoveSandbox(flags.id));
}

int Run(CriClient& client, const Flags& flags) {
  return PrintEnded(flags, Kubelet(client, flags.pod).Run(flags.container));
}

int Start(CriClient& client, const Flags& flags) {
  return PrintOutcome(flags, Kubelet(client, flags.pod).StartContainer(flags.id));
}

int Logs(CriClient& client, const Flags& flags) {
  return PrintEnded(flags,
                    Kubelet(client, flags.pod).WaitForEnd(flags.id, flags.deadline_ms / 1000));
}

}  // namespace crivet::test
