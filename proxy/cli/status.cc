// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/cli/daemon_answer.h"
#include "proxy/cli/refused_text.h"
#include "proxy/cli/screen.h"
#include "proxy/cli/status_text.h"
#include "proxy/cli/subcommand.h"
#include "proxy/runtime/runtime_client.h"
#include "proxy/wall_clock.h"

namespace crivet::proxy::cli {
namespace {

struct Flags {
  bool json = false;
  bool would_refuse = false;
};

Exit NoAnswer(const std::string& admin, const grpc::Status& status) {
  PrintToStderr("crivet: " + WhyNoAnswer(admin, status));
  return Exit::kUnavailable;
}

Exit PrintLines(const std::vector<std::string>& lines) {
  Exit exit = Exit::kDone;
  for (const std::string& line : lines) exit = Worst(exit, PrintToStdout(line));
  return exit;
}

Exit ShowStatus(const std::string& admin, const Flags& flags) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  // Longer than the daemon waits for a runtime and a trust server that hang.
  auto context = BlockingContext(std::chrono::seconds{30});
  // A daemon that is not there is the answer, not something to wait for.
  context->set_wait_for_ready(false);
  admin::v1::StatusResponse response;
  if (const auto status = daemon->Status(context.get(), {}, &response); !status.ok()) {
    return NoAnswer(admin, status);
  }
  const Exit health = response.degraded().empty() ? Exit::kDone : Exit::kDenied;
  return Worst(health, flags.json
                           ? PrintToStdout(StatusAsJson(response))
                           : PrintLines(StatusForPeople(response, Now(), WidthOf(STDOUT_FILENO))));
}

Exit ExplainRefused(const std::vector<admin::v1::JudgedImage>& refused,
                    const admin::v1::LookedAt& looked_at) {
  const auto images = GroupByImage(refused);
  const std::size_t width = WidthOf(STDOUT_FILENO);
  Exit exit = PrintLines(RefusedForPeople(images, width));
  ScreenText total(width);
  total.Add("");
  total.AddWrapped("", "enforcing would refuse " + RefusedTotal(images, looked_at), 2);
  exit = Worst(exit, PrintLines(total.lines()));
  const auto rules = RulesToPaste(images);
  if (rules.empty()) return exit;
  PrintToStderr(
      "No rule is for some of these. To let them run without verification, paste this;\n"
      "for those that somebody signs, paste what \"crivet pin\" prints instead:");
  exit = Worst(exit, PrintToStdout(""));
  return Worst(exit, PrintLines(rules));
}

Exit ShowRefused(const std::string& admin, const Flags& flags) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  // Every repository on the node may have to be refreshed first.
  auto context = BlockingContext(std::chrono::minutes{10});
  context->set_wait_for_ready(false);
  const auto reader = daemon->WouldRefuse(context.get(), {});
  Exit exit = Exit::kDone;
  std::vector<admin::v1::JudgedImage> refused;
  admin::v1::LookedAt looked_at;
  admin::v1::JudgedImage image;
  while (reader->Read(&image)) {
    if (image.has_looked_at()) {
      looked_at = image.looked_at();
      continue;
    }
    exit = Worst(exit, Exit::kDenied);
    if (flags.json) exit = Worst(exit, PrintToStdout(RefusedAsJson(image)));
    refused.push_back(image);
  }
  if (const auto status = reader->Finish(); !status.ok()) return NoAnswer(admin, status);
  if (looked_at.sandbox_image().empty()) {
    PrintToStderr(
        "warning: nobody tells the name of the sandbox image, so it was not judged: set [gate] "
        "sandbox_image");
  }
  if (refused.empty()) PrintToStderr("enforcing would refuse nothing that is on this node");
  if (refused.empty() || flags.json) return exit;
  return Worst(exit, ExplainRefused(refused, looked_at));
}

}  // namespace

void AddStatus(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "status", "How the daemon is: exit 0 well, 1 degraded, 2 away",
                    "crivet status --would-refuse && echo ready to enforce");
  const auto flags = std::make_shared<Flags>();
  command.Flag("--json", flags->json, "For programs; members are only ever added");
  command.Flag("--would-refuse", flags->would_refuse,
               "What enforcing would refuse here; exit 1 if any");
  command.Runs([&invocation, flags] {
    // A file that is wrong is what the daemon may have to tell about.
    (void)ReadConfig(invocation.config_file);
    const std::string admin = AdminSocketOf(invocation.config_file);
    return flags->would_refuse ? ShowRefused(admin, *flags) : ShowStatus(admin, *flags);
  });
}

}  // namespace crivet::proxy::cli
