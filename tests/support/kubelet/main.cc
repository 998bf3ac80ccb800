// kubelet_client: calls a CRI socket as kubelet does. Results go to stdout; what kubelet would show
// of a failure goes to stderr. Exit codes: 0 done, 1 the call failed, 3 the image is absent, 64
// usage; `run` exits as the container did.
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "containerd/services/content/v1/content.pb.h"
#include "containerd/services/images/v1/images.pb.h"
#include "tests/support/kubelet/kubelet.h"

namespace crivet::test {
namespace {

using runtime::v1::ImageService;
using runtime::v1::RuntimeService;

constexpr int kFailed = 1;
constexpr int kAbsent = 3;
constexpr int kUsage = 64;

struct Flags {
  std::string socket;
  int deadline_ms = 120'000;
  std::vector<std::string> metadata;
  std::string record;
  bool json = false;
  bool user_specified = true;
  bool ready = false;
  bool verbose = false;
  Pod pod;
  Container container;
  std::string image;
  std::string id;
  std::string method;
  std::string message;
  int count = 1;
};

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

int PrintEnded(const Flags& flags, const Outcome<Ended>& ended) {
  if (!ended) {
    return Report(flags, ended.error());
  }
  std::cout << ended->output;
  return ended->exit_code;
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

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string ToHex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

int Raw(CriClient& client, const Flags& flags) {
  const auto answer = client.CallRaw(flags.method, FromHex(flags.message));
  if (!answer) {
    return Report(flags, flags.method, answer.error());
  }
  for (const std::string& message : *answer) {
    std::cout << ToHex(message) << "\n";
  }
  return 0;
}

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type) {
  auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

// "/runtime.v1.ImageService/PullImage" -> its description in our .proto files, or null. The
// messages of v1alpha2 are those of v1.
const google::protobuf::MethodDescriptor* FindMethod(std::string path) {
  const std::string old = "/runtime.v1alpha2.";
  if (path.starts_with(old)) {
    path = "/runtime.v1." + path.substr(old.size());
  }
  const size_t slash = path.rfind('/');
  if (path.empty() || slash == 0 || slash == std::string::npos) {
    return nullptr;
  }
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      path.substr(1, slash - 1) + "." + path.substr(slash + 1));
}

int CallAny(CriClient& client, const Flags& flags) {
  // Keeps the linker from leaving out the files that are only found by name.
  containerd::services::images::v1::Image::descriptor();
  containerd::services::content::v1::Info::descriptor();
  const auto* method = FindMethod(flags.method);
  if (method == nullptr) {
    std::cerr << "no such method in api/: " << flags.method << "\n";
    return kUsage;
  }
  const auto request = NewMessage(method->input_type());
  const auto parsed = google::protobuf::util::JsonStringToMessage(flags.message, request.get());
  if (!parsed.ok()) {
    std::cerr << parsed.ToString() << "\n";
    return kUsage;
  }
  const auto answer = client.CallRaw(flags.method, request->SerializeAsString());
  if (!answer) {
    return Report(flags, flags.method, answer.error());
  }
  for (const std::string& bytes : *answer) {
    const auto response = NewMessage(method->output_type());
    response->ParseFromString(bytes);
    std::cout << ToJson(*response) << "\n";
  }
  return 0;
}

using Command = int (*)(CriClient&, const Flags&);

class CommandLine {
 public:
  CommandLine() : app_("Calls a CRI socket as kubelet does.") {
    app_.require_subcommand(1);
    app_.add_option("--endpoint", flags_.socket, "path of the unix socket")->required();
    app_.add_option("--deadline", flags_.deadline_ms, "of each call, in ms");
    app_.add_option("--metadata", flags_.metadata, "key=value, sent with every call");
    app_.add_option("--record", flags_.record, "append every call to this file, as JSON lines");
    app_.add_flag("--json", flags_.json, "answers and errors as JSON");
    app_.add_option("--name", flags_.pod.name, "the pod's name");
    app_.add_option("--namespace", flags_.pod.name_space, "the pod's namespace");
    app_.add_option("--uid", flags_.pod.uid, "the pod's UID");
    app_.add_option("--runtime-handler", flags_.pod.runtime_handler);
    app_.add_option("--log-root", flags_.pod.log_root, "where containers' logs go");
    app_.add_option("--cgroup-parent", flags_.pod.cgroup_parent)->envname("CRIVET_CGROUP_PARENT");
    AddImageCommands();
    AddPodCommands();
    AddContainerCommands();
    AddRawCommands();
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : kUsage;
    }
    flags_.container.user_specified =
        flags_.user_specified ? UserSpecifiedImage::kSent : UserSpecifiedImage::kNotSent;
    CallSettings settings;
    settings.deadline = std::chrono::milliseconds(flags_.deadline_ms);
    for (const std::string& pair : flags_.metadata) {
      const size_t equals = pair.find('=');
      settings.metadata.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    std::ofstream record;
    if (!flags_.record.empty()) {
      record.open(flags_.record, std::ios::app);
    }
    CriClient client(flags_.socket, settings, record.is_open() ? &record : nullptr);
    return command_(client, flags_);
  }

 private:
  CLI::App* Add(const char* name, const char* description, Command command) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->fallthrough();
    sub->callback([this, command] { command_ = command; });
    return sub;
  }

  void AddAuth(CLI::App* sub) {
    sub->add_option_function<std::string>("--username", [this](const std::string& text) {
      flags_.container.auth.set_username(text);
    });
    sub->add_option_function<std::string>("--password", [this](const std::string& text) {
      flags_.container.auth.set_password(text);
    });
  }

  void AddImageCommands() {
    Add("version", "name and version of the runtime", Version);
    CLI::App* status = Add("status", "conditions of the runtime", Status);
    status->add_flag("--verbose", flags_.verbose);
    status->add_flag("--ready", flags_.ready, "fails unless the runtime is ready");
    Add("fs-info", "ImageFsInfo", FsInfo);
    CLI::App* pull = Add("pull", "PullImage alone; prints image_ref", Pull);
    pull->add_option("image", flags_.container.image)->required();
    AddAuth(pull);
    CLI::App* image_status =
        Add("image-status", "ID, tags and digests; exit 3 when absent", ImageStatus);
    image_status->add_option("image", flags_.image)->required();
    image_status->add_flag("--verbose", flags_.verbose);
    Add("images", "ListImages", Images)->add_option("filter", flags_.image);
    Add("rmi", "RemoveImage", RemoveImage)->add_option("image", flags_.image)->required();
  }

  void AddPodCommands() {
    Add("run-pod", "RunPodSandbox; prints the ID", [](CriClient& client, const Flags& flags) {
      return PrintOutcome(flags, Kubelet(client, flags.pod).RunSandbox());
    });
    Add("stop-pod", "StopPodSandbox and RemovePodSandbox",
        [](CriClient& client, const Flags& flags) {
          return PrintOutcome(flags, Kubelet(client, flags.pod).RemoveSandbox(flags.id));
        })
        ->add_option("id", flags_.id)
        ->required();
    Add("pods", "ListPodSandbox", Pods);
  }

  void AddContainerOptions(CLI::App* sub) {
    sub->add_flag("--user-specified,!--no-user-specified", flags_.user_specified,
                  "send user_specified_image, as kubelet 1.28 and newer do");
    sub->add_option("--volume", flags_.container.image_volumes, "an image to mount");
    sub->add_option("--container-name", flags_.container.name);
    sub->add_option("command", flags_.container.command, "instead of the image's own");
  }

  void AddContainerCommands() {
    static const std::map<std::string, PullPolicy> kPolicies = {
        {"Always", PullPolicy::kAlways},
        {"IfNotPresent", PullPolicy::kIfNotPresent},
        {"Never", PullPolicy::kNever}};
    CLI::App* run =
        Add("run", "a pod with one container, from first call to last; prints its output",
            [](CriClient& client, const Flags& flags) {
              return PrintEnded(flags, Kubelet(client, flags.pod).Run(flags.container));
            });
    run->add_option("image", flags_.container.image)->required();
    run->add_option("--policy", flags_.container.policy)
        ->transform(CLI::CheckedTransformer(kPolicies));
    AddAuth(run);
    AddContainerOptions(run);
    CLI::App* create = Add("create", "CreateContainer; prints the ID", Create);
    create->add_option("pod", flags_.id, "the sandbox's ID")->required();
    create->add_option("image", flags_.image, "what goes into image.image")->required();
    create->add_option("--written", flags_.container.image, "what goes into user_specified_image");
    AddContainerOptions(create);
    Add("start", "StartContainer",
        [](CriClient& client, const Flags& flags) {
          return PrintOutcome(flags, Kubelet(client, flags.pod).StartContainer(flags.id));
        })
        ->add_option("id", flags_.id)
        ->required();
    Add("logs", "waits for the end; prints the output",
        [](CriClient& client, const Flags& flags) {
          return PrintEnded(
              flags, Kubelet(client, flags.pod).WaitForEnd(flags.id, flags.deadline_ms / 1000));
        })
        ->add_option("id", flags_.id)
        ->required();
    Add("stop", "StopContainer", StopContainer)->add_option("id", flags_.id)->required();
    Add("rm", "RemoveContainer", RemoveContainer)->add_option("id", flags_.id)->required();
    CLI::App* inspect = Add("inspect", "ContainerStatus", ContainerStatus);
    inspect->add_option("id", flags_.id)->required();
    inspect->add_flag("--verbose", flags_.verbose);
    Add("ps", "ListContainers", Containers);
    CLI::App* exec = Add("exec", "ExecSync", Exec);
    exec->add_option("id", flags_.id)->required();
    exec->add_option("command", flags_.container.command)->required();
    Add("events", "GetContainerEvents, JSON lines", Events)->add_option("--count", flags_.count);
  }

  void AddRawCommands() {
    CLI::App* raw = Add("raw", "any method, one message as hex; prints the answers as hex", Raw);
    raw->add_option("method", flags_.method, "/package.Service/Method")->required();
    raw->add_option("hex", flags_.message);
    CLI::App* call = Add("call", "a method of api/, its message as JSON", CallAny);
    call->add_option("method", flags_.method, "/package.Service/Method")->required();
    call->add_option("message", flags_.message)->required();
  }

  Flags flags_;
  CLI::App app_;
  Command command_ = nullptr;
};

}  // namespace
}  // namespace crivet::test

int main(int argc, char** argv) { return crivet::test::CommandLine().Run(argc, argv); }
