// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "proxy/cli/subcommand.h"
#include "proxy/cli/usage.h"
#include "proxy/verifier/image_verifier.h"
#include "proxy/version.h"

namespace {

using crivet::proxy::cli::Exit;
using crivet::proxy::cli::Invocation;
using crivet::proxy::cli::PrintToStderr;

Exit Main(int argc, char** argv) {
  namespace cli = crivet::proxy::cli;
  CLI::App app("crivet lets a Kubernetes node run only images that their publishers signed.",
               "crivet");
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 allowed or done, 1 denied, 2 unavailable, 64 usage, 70 internal,\n"
      "78 configuration. \"crivet help COMMAND\" explains one command.\n\n"
      "Example:\n  crivet verify registry.acme.example/web:2.1");
  Invocation invocation;
  app.set_version_flag("--version", "crivet " + std::string(crivet::proxy::Version()));
  app.add_option("--config", invocation.config_file, "The configuration file, for every command")
      ->type_name("FILE");
  cli::AddServe(app, invocation);
  cli::AddCheck(app, invocation);
  cli::AddVerify(app, invocation);
  cli::AddStatus(app, invocation);
  cli::AddReload(app, invocation);
  cli::AddPin(app, invocation);
  cli::AddWarm(app, invocation);
  cli::AddForget(app, invocation);
  cli::AddImport(app, invocation);
  cli::AddTakeover(app, invocation);
  cli::AddRelease(app, invocation);
  cli::AddVersion(app, invocation);
  const auto arguments = cli::HelpAsOption(std::vector<std::string>(argv + 1, argv + argc));
  // Before --help of the same line is answered.
  if (const auto problem = cli::UnknownCommand(app, arguments)) {
    PrintToStderr("crivet: " + *problem);
    return Exit::kUsage;
  }
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& asked) {
    (void)app.exit(asked);
    return Exit::kDone;
  } catch (const CLI::ParseError& error) {
    PrintToStderr("crivet: " + cli::UsageProblem(app, arguments, error));
    return Exit::kUsage;
  }
  return invocation.run();
}

}  // namespace

int main(int argc, char** argv) {
  // An unknown name in it would make every JSON parse fail.
  unsetenv("SIMDJSON_FORCE_IMPLEMENTATION");
  try {
    if (argc > 0 && crivet::proxy::IsImageVerifier(argv[0])) {
      return crivet::proxy::RunImageVerifier({argv + 1, argv + argc}, Invocation().config_file);
    }
    return static_cast<int>(Main(argc, argv));
  } catch (const std::exception& error) {
    PrintToStderr("crivet: " + std::string(error.what()));
    return static_cast<int>(Exit::kInternal);
  }
}
