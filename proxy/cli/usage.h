// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace crivet::proxy::cli {

/// HelpAsOption gives `help COMMAND` as `COMMAND --help`, and everything else as it is. The
/// arguments are without the program's name. Pure.
std::vector<std::string> HelpAsOption(std::vector<std::string> arguments);

/// UnknownCommand is what to say of a first word that is no command; nothing where it is one, or
/// where there is none. Pure.
std::optional<std::string> UnknownCommand(const CLI::App& app,
                                          const std::vector<std::string>& arguments);

/// UsageProblem is what is wrong with a command line that `app` did not take: the word that it does
/// not know with the nearest that it does, and where to read on. Pure.
std::string UsageProblem(const CLI::App& app, const std::vector<std::string>& arguments,
                         const CLI::ParseError& error);

}  // namespace crivet::proxy::cli
