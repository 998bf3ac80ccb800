// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "proxy/cli/commands.h"
#include "proxy/config/config.h"

namespace crivet::proxy::cli {

/// AddSubcommand makes a subcommand with `--config` and an example under its help.
CLI::App& AddSubcommand(CLI::App& app, Invocation& invocation, const std::string& name,
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
