// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/subcommand.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace crivet::proxy::cli {

CLI::App& AddSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
                        const std::string& what, const std::string& example) {
  CLI::App& command = *app.add_subcommand(name, what);
  command.add_option("--config", invocation.config_file, "The configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  command.footer("Example:\n  " + example);
  return command;
}

std::optional<Config> ReadConfig(const std::string& file, const Place& place) {
  auto config = LoadConfig(file, place);
  if (config) return std::move(*config);
  for (const ConfigError& error : config.error()) PrintToStderr(error.ToString());
  return std::nullopt;
}

Exit PrintToStdout(const std::string& line) {
  const bool written = std::fputs(line.c_str(), stdout) >= 0 && std::fputc('\n', stdout) != EOF &&
                       std::fflush(stdout) == 0;
  if (written) return Exit::kDone;
  PrintToStderr("crivet: cannot write to the standard output");
  return Exit::kInternal;
}

void PrintToStderr(const std::string& line) {
  // Nobody is left to be told where this fails.
  (void)std::fputs((line + "\n").c_str(), stderr);
}

}  // namespace crivet::proxy::cli
