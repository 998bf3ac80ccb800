// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "proxy/cli/subcommand.h"
#include "proxy/config/config_values.h"
#include "proxy/daemon/daemon.h"

namespace crivet::proxy::cli {
namespace {

Exit Serve(const std::string& config_file, const Place& place) {
  auto start = LoadStartConfig(config_file, place);
  if (!start) {
    for (const ConfigError& error : start.error()) PrintToStderr(error.ToString());
    return Exit::kConfiguration;
  }
  const auto daemon = Daemon::Create(std::move(*start), config_file, place);
  if (!daemon) {
    PrintToStderr("crivet: " + daemon.error().detail);
    return Exit::kInternal;
  }
  (*daemon)->Run();
  return Exit::kDone;
}

// Empty where it is good.
std::string WrongPath(const std::string& path) {
  const auto checked = CheckAbsolutePath(path, PathUse::kSocket);
  return checked ? std::string() : checked.error();
}

}  // namespace

void AddServe(CLI::App& app, Invocation& invocation) {
  Subcommand command = AddSubcommand(app, invocation, "serve", "Run the daemon",
                                     "crivet serve --config /etc/crivet/config.toml");
  const auto place = std::make_shared<Place>();
  command.Text({.name = "--in-place",
                .value = "UPSTREAM",
                .what = "In the runtime's place, which is now here",
                .wrong = WrongPath},
               place->moved_upstream);
  command.Runs([&invocation, place] { return Serve(invocation.config_file, *place); });
}

}  // namespace crivet::proxy::cli
