#include <CLI/CLI.hpp>

#include "proxy/cli/subcommand.h"
#include "proxy/daemon.h"

namespace crivet::proxy::cli {
namespace {

Exit Serve(const std::string& config_file) {
  auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  const auto daemon = Daemon::Create(std::move(*config), config_file);
  if (!daemon) {
    PrintToStderr("crivet: " + daemon.error().detail);
    return Exit::kInternal;
  }
  (*daemon)->Run();
  return Exit::kDone;
}

}  // namespace

void AddServe(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddSubcommand(app, invocation, "serve", "Run the daemon",
                                    "crivet serve --config /etc/crivet/config.toml");
  command.callback(
      [&invocation] { invocation.run = [&] { return Serve(invocation.config_file); }; });
}

}  // namespace crivet::proxy::cli
