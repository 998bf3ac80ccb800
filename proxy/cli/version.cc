// SPDX-License-Identifier: Apache-2.0
#include "proxy/version.h"

#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {

void AddVersion(CLI::App& app, Invocation& invocation) {
  AddBareSubcommand(app, invocation, "version", "Print the version", "crivet version").Runs([] {
    return PrintToStdout("crivet " + std::string(Version()));
  });
}

}  // namespace crivet::proxy::cli
