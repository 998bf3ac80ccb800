// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "proxy/cli/judge_images.h"
#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {

void AddVerify(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "verify", "Explain what would happen; print pinned names",
                    "docker run \"$(crivet verify registry.acme.example/web:2.1)\"");
  struct Flags {
    JudgeOptions options;
    bool offline = false;
    bool json = false;
  };
  const auto flags = std::make_shared<Flags>();
  command.Words("IMAGE", flags->options.images, "Images, as a pod would name them");
  command.Flag("--offline", flags->offline, "Use what is stored; ask no server");
  command.Flag("--json", flags->json, "One JSON object a line for each image");
  command.Text({.name = "--namespace", .value = "NS", .what = "Decide for a pod of NS alone"},
               flags->options.pod_namespace);
  command.Runs([&invocation, flags] {
    JudgeOptions& options = flags->options;
    options.config_file = invocation.config_file;
    if (flags->offline) options.reach = trust::Question::Reach::kOffline;
    if (flags->json) options.output = Output::kJson;
    return JudgeImages(options);
  });
}

}  // namespace crivet::proxy::cli
