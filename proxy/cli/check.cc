#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {
namespace {

Exit Check(const std::string& file) {
  const auto config = ReadConfig(file);
  if (!config) return Exit::kConfiguration;
  for (const std::string& warning : config->warnings) PrintToStderr("warning: " + warning);
  // The default is a rule of the policy, and not one of the file's [[rule]] sections.
  return PrintToStdout(fmt::format("{}: good: {} rules, {} trust servers, {} warnings", file,
                                   config->policy->rules().size() - 1, config->servers.size(),
                                   config->warnings.size()));
}

}  // namespace

void AddCheck(CLI::App& app, Invocation& invocation) {
  CLI::App& command =
      AddSubcommand(app, invocation, "check", "Check the configuration",
                    "crivet check --config new.toml && cp new.toml /etc/crivet/config.toml");
  command.callback(
      [&invocation] { invocation.run = [&] { return Check(invocation.config_file); }; });
}

}  // namespace crivet::proxy::cli
