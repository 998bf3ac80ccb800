// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "proxy/config/config_values.h"

namespace crivet::proxy::cli {
namespace {

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// The word that stands where a command is wanted; nothing where none does, or where what comes
/// before it is not understood.
std::optional<std::string> CommandWord(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--config") {
      ++i;
    } else if (!arguments[i].starts_with('-')) {
      return arguments[i];
    } else if (!arguments[i].starts_with("--config=")) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool IsAmong(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> OptionsOf(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string DidYouMean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestWord(word, candidates);
  return nearest.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", nearest);
}

/// The first option that the command does not have.
std::optional<std::string> UnknownOption(const CLI::App& command,
                                         const std::vector<std::string>& arguments) {
  const auto options = OptionsOf(command);
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    const std::string name = argument.substr(0, argument.find('='));
    if (!name.starts_with("--") || IsAmong(options, name)) continue;
    return fmt::format("there is no option {}{}", name, DidYouMean(name, options));
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> HelpAsOption(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.front() != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
  return arguments;
}

std::optional<std::string> UnknownCommand(const CLI::App& app,
                                          const std::vector<std::string>& arguments) {
  auto commands = CommandsOf(app);
  commands.emplace_back("help");
  const auto word = CommandWord(arguments);
  if (!word || IsAmong(commands, *word)) return std::nullopt;
  return fmt::format("there is no command \"{}\"{}\nTry \"crivet --help\".", *word,
                     DidYouMean(*word, commands));
}

std::string UsageProblem(const CLI::App& app, const std::vector<std::string>& arguments,
                         const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  if (parsed.empty()) {
    return UnknownOption(app, arguments).value_or(error.what()) + "\nTry \"crivet --help\".";
  }
  const CLI::App& command = *parsed.front();
  return fmt::format("{}: {}\nTry \"crivet {} --help\".", command.get_name(),
                     UnknownOption(command, arguments).value_or(error.what()), command.get_name());
}

}  // namespace crivet::proxy::cli
