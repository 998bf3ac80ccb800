// SPDX-License-Identifier: Apache-2.0
#include "proxy/version.h"

#include <CLI/CLI.hpp>

#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {

void AddVersion(CLI::App& app, Invocation& invocation) {
  CLI::App& command = *app.add_subcommand("version", "Print the version");
  command.footer("Example:\n  crivet version");
  command.callback([&invocation] {
    invocation.run = [] { return PrintToStdout("crivet " + std::string(Version())); };
  });
}

}  // namespace crivet::proxy::cli
