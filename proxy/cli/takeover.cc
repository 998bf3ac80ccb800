// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/takeover.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <set>

#include "proxy/cli/subcommand.h"
#include "proxy/gate/own_reference_cleanup.h"

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

// Names of crivet's own would stay in the runtime for ever: nobody else takes them away.
void TakeOwnNamesAway(const std::string& config_file) {
  // Where it is after a release in place, and where it is beside.
  std::set<std::string> sockets = {"/run/containerd/containerd.sock"};
  if (const auto config = ReadConfig(config_file)) sockets.insert(config->upstream);
  for (const std::string& socket : sockets) {
    std::error_code ignored;
    if (!std::filesystem::is_socket(socket, ignored)) continue;
    const auto removed = RemoveOwnReferences(socket, std::chrono::seconds(5));
    if (!removed) {
      PrintToStderr("names of crivet's own may be left in the runtime: " + removed.error().detail);
    } else if (*removed > 0) {
      PrintToStderr("took " + std::to_string(*removed) + " names of crivet's own from " + socket);
    }
  }
}

Exit Release(const std::string& config_file) {
  auto released = MakeTakeover(config_file).Release();
  if (released) TakeOwnNamesAway(config_file);
  return Conclude(released, "containerd has its socket back");
}

}  // namespace

void AddTakeover(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "takeover", "Take the place of containerd's socket (as root)",
                    "crivet takeover");
  command.Runs([&invocation] { return Take(invocation.config_file); });
}

void AddRelease(CLI::App& app, Invocation& invocation) {
  Subcommand command = AddSubcommand(app, invocation, "release",
                                     "Undo takeover, byte for byte (as root)", "crivet release");
  command.Runs([&invocation] { return Release(invocation.config_file); });
}

}  // namespace crivet::proxy::cli
