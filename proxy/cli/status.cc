#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/cli/status_text.h"
#include "proxy/cli/subcommand.h"
#include "proxy/runtime_client.h"
#include "proxy/wall_clock.h"

namespace crivet::proxy::cli {
namespace {

struct Flags {
  bool json = false;
  bool would_refuse = false;
};

Exit DaemonAway(const std::string& admin, const grpc::Status& status) {
  PrintToStderr(
      fmt::format("crivet: the daemon does not answer at {}: {}", admin, status.error_message()));
  return Exit::kUnavailable;
}

Exit ShowStatus(const std::string& admin, const Flags& flags) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  auto context = BlockingContext(std::chrono::seconds{10});
  // A daemon that is not there is the answer, not something to wait for.
  context->set_wait_for_ready(false);
  admin::v1::StatusResponse response;
  if (const auto status = daemon->Status(context.get(), {}, &response); !status.ok()) {
    return DaemonAway(admin, status);
  }
  if (flags.json) return PrintToStdout(StatusAsJson(response));
  Exit exit = Exit::kDone;
  for (const std::string& line : StatusForPeople(response, Now())) {
    exit = Worst(exit, PrintToStdout(line));
  }
  return exit;
}

Exit ShowRefused(const std::string& admin, const Flags& flags) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  // Every repository on the node may have to be refreshed first.
  auto context = BlockingContext(std::chrono::minutes{10});
  context->set_wait_for_ready(false);
  const auto reader = daemon->WouldRefuse(context.get(), {});
  Exit exit = Exit::kDone;
  admin::v1::JudgedImage image;
  while (reader->Read(&image)) {
    exit = Worst(exit, Exit::kDenied);
    exit = Worst(exit, PrintToStdout(flags.json ? RefusedAsJson(image) : RefusedForPeople(image)));
  }
  if (const auto status = reader->Finish(); !status.ok()) return DaemonAway(admin, status);
  if (exit == Exit::kDone) PrintToStderr("enforcing would refuse nothing that is on this node");
  return exit;
}

}  // namespace

void AddStatus(CLI::App& app, Invocation& invocation) {
  CLI::App& command =
      AddSubcommand(app, invocation, "status", "Show what the daemon sees and knows",
                    "crivet status --would-refuse && echo ready to enforce");
  const auto flags = std::make_shared<Flags>();
  command.add_flag("--json", flags->json, "For programs; members are only ever added");
  command.add_flag("--would-refuse", flags->would_refuse,
                   "What enforcing would refuse here; exit 1 if any");
  command.callback([&invocation, flags] {
    invocation.run = [&invocation, flags] {
      // A file that is wrong is what the daemon may have to tell about.
      const bool good = ReadConfig(invocation.config_file).has_value();
      const std::string admin = AdminSocketOf(invocation.config_file);
      const Exit exit =
          flags->would_refuse ? ShowRefused(admin, *flags) : ShowStatus(admin, *flags);
      return !good && exit == Exit::kUnavailable ? Exit::kConfiguration : exit;
    };
  });
}

}  // namespace crivet::proxy::cli
