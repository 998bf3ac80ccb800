// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <memory>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/cli/daemon_answer.h"
#include "proxy/cli/subcommand.h"
#include "proxy/runtime/runtime_client.h"

namespace crivet::proxy::cli {
namespace {

// Longer than the daemon's other work between two looks at its signals.
constexpr std::chrono::seconds kPatience{30};

/// The socket is where the new file says, the daemon perhaps where the old one did, and a file that
/// is no TOML says nothing: a signal finds the daemon all the same, but brings no answer.
Exit SignalInstead(pid_t pid) {
  if (pid > 0 && kill(pid, SIGHUP) == 0) {
    PrintToStderr(
        fmt::format("crivet: told process {} by a signal; its log has what came of it", pid));
  }
  return Exit::kUnavailable;
}

Exit Reload(const std::string& config_file, pid_t pid) {
  const std::string socket = AdminSocketOf(config_file);
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(socket));
  auto context = BlockingContext(kPatience);
  context->set_wait_for_ready(false);
  admin::v1::ReloadResponse response;
  if (const auto status = daemon->Reload(context.get(), {}, &response); !status.ok()) {
    PrintToStderr("crivet: " + WhyNoAnswer(socket, status));
    return SignalInstead(pid);
  }
  if (response.kept_because().empty()) {
    return PrintToStdout("the daemon took the new configuration");
  }
  for (const std::string& why : response.kept_because()) PrintToStderr(why);
  PrintToStderr("crivet: the daemon kept the old configuration");
  return Exit::kConfiguration;
}

}  // namespace

void AddReload(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "reload", "Have the daemon take the configuration file",
                    "crivet check && crivet reload");
  const auto pid = std::make_shared<pid_t>(0);
  command.Number(
      {.name = "--pid", .value = "PID", .what = "Signal it where the admin socket does not answer"},
      *pid);
  command.Runs([&invocation, pid] { return Reload(invocation.config_file, *pid); });
}

}  // namespace crivet::proxy::cli
