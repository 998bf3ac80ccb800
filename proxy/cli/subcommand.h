// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proxy/cli/commands.h"
#include "proxy/config/config.h"

namespace crivet::proxy::cli {

/// Option is an option that takes a value.
struct Option {
  /// With its dashes.
  std::string name;
  /// What the help calls the value.
  std::string value;
  std::string what;
  /// The option without which this one is a mistake; empty for none. Must be described before.
  std::string only_with = {};
  /// What is wrong with a value, empty where nothing is.
  std::function<std::string(const std::string&)> wrong = {};
};

/// Subcommand is a command while its options are described: commands see no more of the library
/// that parses them. What an option is read into must outlive the app. For one thread.
class Subcommand {
 public:
  /// `app` and `invocation` must outlive what was described.
  Subcommand(CLI::App& app, Invocation& invocation) : app_(app), invocation_(invocation) {}

  /// A word that must be given.
  void Word(const std::string& name, std::string& value, const std::string& what);
  /// Words of which at least one must be given.
  void Words(const std::string& name, std::vector<std::string>& values, const std::string& what);
  void Text(const Option& option, std::string& value);
  /// A number above zero.
  void Number(const Option& option, int& value);
  void Flag(const std::string& name, bool& value, const std::string& what);
  /// What the command does. It runs after everything was read.
  void Runs(std::function<Exit()> run);

 private:
  CLI::App& app_;
  Invocation& invocation_;
};

/// AddSubcommand makes a subcommand with `--config` and an example under its help.
Subcommand AddSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
                         const std::string& what, const std::string& example);

/// AddBareSubcommand makes one that reads no configuration.
Subcommand AddBareSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
                             const std::string& what, const std::string& example);

/// ReadConfig loads the configuration; where it is wrong it prints every mistake to stderr and
/// gives nothing: end with kConfiguration then.
std::optional<Config> ReadConfig(const std::string& file, const Place& place = {});

/// PrintToStdout writes a line; kInternal where it could not be written (a closed pipe, a full
/// disk): a script must not take silence for success.
Exit PrintToStdout(const std::string& line);

/// PrintToStderr writes a line for people.
void PrintToStderr(const std::string& line);

}  // namespace crivet::proxy::cli
