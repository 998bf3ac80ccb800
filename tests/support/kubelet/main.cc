// SPDX-License-Identifier: Apache-2.0

// kubelet_client: calls a CRI socket as kubelet does. Results go to stdout; what kubelet would show
// of a failure goes to stderr. Exit codes: 0 done, 1 the call failed, 3 the image is absent, 64
// usage; `run` exits as the container did.
#include <CLI/CLI.hpp>
#include <fstream>
#include <map>

#include "tests/support/kubelet/commands.h"

namespace crivet::test {
namespace {

class CommandLine {
 public:
  CommandLine() : app_("Calls a CRI socket as kubelet does.") {
    app_.require_subcommand(1);
    app_.add_option("--endpoint", flags_.socket, "path of the unix socket")->required();
    app_.add_option("--deadline", flags_.deadline_ms, "of each call, in ms");
    app_.add_option("--metadata", flags_.metadata, "key=value, sent with every call")
        ->allow_extra_args(false);
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
    Add("load", "unary calls in turn, until standard input ends; all must be answered", Load)
        ->add_option("image", flags_.image, "asked for by ImageStatus")
        ->required();
    Add("images", "ListImages", Images)->add_option("filter", flags_.image);
    Add("rmi", "RemoveImage", RemoveImage)->add_option("image", flags_.image)->required();
  }

  void AddPodCommands() {
    Add("run-pod", "RunPodSandbox; prints the ID", RunPod);
    Add("stop-pod", "StopPodSandbox and RemovePodSandbox", StopPod)
        ->add_option("id", flags_.id)
        ->required();
    Add("pods", "ListPodSandbox", Pods);
  }

  void AddContainerOptions(CLI::App* sub) {
    sub->add_flag("--user-specified,!--no-user-specified", flags_.user_specified,
                  "send user_specified_image, as kubelet 1.28 and newer do");
    sub->add_option("--volume", flags_.container.image_volumes, "an image to mount")
        ->allow_extra_args(false);
    sub->add_option("--container-name", flags_.container.name);
    sub->add_option("command", flags_.container.command, "instead of the image's own");
  }

  void AddContainerCommands() {
    static const std::map<std::string, PullPolicy> kPolicies = {
        {"Always", PullPolicy::kAlways},
        {"IfNotPresent", PullPolicy::kIfNotPresent},
        {"Never", PullPolicy::kNever}};
    CLI::App* run = Add(
        "run", "a pod with one container, from first call to last; prints its output", test::Run);
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
    Add("start", "StartContainer", Start)->add_option("id", flags_.id)->required();
    Add("logs", "waits for the end; prints the output", Logs)
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
