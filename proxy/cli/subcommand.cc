// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/subcommand.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace crivet::proxy::cli {

namespace {

void Describe(CLI::App& app, CLI::Option& added, const Option& option) {
  added.type_name(option.value);
  if (!option.only_with.empty()) added.needs(app.get_option(option.only_with));
  if (option.wrong) added.check(option.wrong);
}

CLI::App& Bare(CLI::App& app, const std::string& name, const std::string& what,
               const std::string& example) {
  CLI::App& command = *app.add_subcommand(name, what);
  command.footer("Example:\n  " + example);
  return command;
}

}  // namespace

void Subcommand::Word(const std::string& name, std::string& value, const std::string& what) {
  app_.add_option(name, value, what)->required();
}

void Subcommand::Words(const std::string& name, std::vector<std::string>& values,
                       const std::string& what) {
  app_.add_option(name, values, what)->required();
}

void Subcommand::Text(const Option& option, std::string& value) {
  Describe(app_, *app_.add_option(option.name, value, option.what), option);
}

void Subcommand::Number(const Option& option, int& value) {
  CLI::Option& added = *app_.add_option(option.name, value, option.what);
  Describe(app_, added, option);
  added.check(CLI::PositiveNumber);
}

void Subcommand::Flag(const std::string& name, bool& value, const std::string& what) {
  app_.add_flag(name, value, what);
}

void Subcommand::Runs(std::function<Exit()> run) {
  app_.callback([&invocation = invocation_, run = std::move(run)] { invocation.run = run; });
}

Subcommand AddSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
                         const std::string& what, const std::string& example) {
  CLI::App& command = Bare(app, name, what, example);
  command.add_option("--config", invocation.config_file, "The configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  return {command, invocation};
}

Subcommand AddBareSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
                             const std::string& what, const std::string& example) {
  return {Bare(app, name, what, example), invocation};
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
