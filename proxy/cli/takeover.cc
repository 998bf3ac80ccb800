#include "proxy/takeover.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "proxy/cli/subcommand.h"

namespace crivet::proxy::cli {
namespace {

Takeover MakeTakeover(const std::string& config_file) {
  std::error_code error;
  return Takeover(
      {.crivet_command = std::filesystem::read_symlink("/proc/self/exe", error).string(),
       .crivet_config = config_file,
       .say = PrintToStderr});
}

Exit Conclude(const trust::Result<void>& done, const std::string& what) {
  if (done) return PrintToStdout(what);
  PrintToStderr("crivet: " + done.error().detail);
  return Exit::kInternal;
}

Exit Take(const std::string& config_file) {
  if (!ReadConfig(config_file)) return Exit::kConfiguration;
  return Conclude(MakeTakeover(config_file).Take(),
                  "crivet is in the place of containerd's socket");
}

Exit Release(const std::string& config_file) {
  return Conclude(MakeTakeover(config_file).Release(), "containerd has its socket back");
}

}  // namespace

void AddTakeover(CLI::App& app, Invocation& invocation) {
  CLI::App& command =
      AddSubcommand(app, invocation, "takeover", "Take the place of containerd's socket (as root)",
                    "crivet takeover");
  command.callback(
      [&invocation] { invocation.run = [&] { return Take(invocation.config_file); }; });
}

void AddRelease(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddSubcommand(app, invocation, "release",
                                    "Undo takeover, byte for byte (as root)", "crivet release");
  command.callback(
      [&invocation] { invocation.run = [&] { return Release(invocation.config_file); }; });
}

}  // namespace crivet::proxy::cli
