// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "proxy/cli/judge_images.h"
#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {

void AddWarm(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "warm", "Fetch and verify metadata ahead of the first pull",
                    "crivet warm registry.acme.example/web:2.1 registry.acme.example/db:9");
  struct Flags {
    JudgeOptions options;
    bool json = false;
  };
  const auto flags = std::make_shared<Flags>();
  command.Words("IMAGE", flags->options.images, "Images, as a pod would name them");
  command.Flag("--json", flags->json, "One JSON object a line for each image");
  command.Text({.name = "--namespace", .value = "NS", .what = "For a pod of NS alone"},
               flags->options.pod_namespace);
  command.Runs([&invocation, flags] {
    flags->options.config_file = invocation.config_file;
    flags->options.large_files = LargeFiles::kAwait;
    if (flags->json) flags->options.output = Output::kJson;
    return JudgeImages(flags->options);
  });
}

}  // namespace crivet::proxy::cli
