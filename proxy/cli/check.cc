#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "proxy/cli/subcommand.h"
#include "proxy/node_check.h"

namespace crivet::proxy::cli {
namespace {

Exit Check(const std::string& file) {
  // As the node's daemon will read it.
  const auto config = ReadConfig(file, PlaceOnNode());
  if (!config) return Exit::kConfiguration;
  const NodeFindings node = CheckNode(*config);
  for (const auto* warnings : {&config->warnings, &node.warnings}) {
    for (const std::string& warning : *warnings) PrintToStderr("warning: " + warning);
  }
  for (const std::string& wrong : node.wrong) PrintToStderr(wrong);
  if (!node.wrong.empty()) return Exit::kConfiguration;
  // The default is a rule of the policy, and not one of the file's [[rule]] sections.
  return PrintToStdout(fmt::format("{}: good: {} rules, {} trust servers, {} warnings", file,
                                   config->policy->rules().size() - 1, config->servers.size(),
                                   config->warnings.size() + node.warnings.size()));
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
