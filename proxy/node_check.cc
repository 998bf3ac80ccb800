#include "proxy/node_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "proxy/config_files.h"
#include "proxy/program.h"
#include "proxy/takeover_plan.h"

namespace crivet::proxy {
namespace {

constexpr std::chrono::seconds kPatience{5};

// What a program printed; empty where it is not there or failed.
std::string OutputOf(const std::vector<std::string>& command) {
  auto output = RunProgram(command, kPatience);
  return output && output->exit_status == 0 ? std::move(output->text) : std::string();
}

bool SystemdRuns() {
  std::error_code ignored;
  return std::filesystem::exists("/run/systemd/system", ignored);
}

// Where containerd's unit makes it listen; empty where there is no such unit.
std::string ContainerdAddress() {
  const std::string shown =
      OutputOf({"systemctl", "show", "--property=ExecStart", "containerd.service"});
  auto command = CommandOf(shown);
  if (!command) return {};
  command->insert(command->end(), {"config", "dump"});
  const auto facts = ParseContainerdFacts(shown, OutputOf(*command));
  return facts ? facts->grpc_address : std::string();
}

// containerd unlinks its path when it starts and stops: two at one path cut each other off.
void CheckSockets(const Config& config, NodeFindings& findings) {
  if (!SystemdRuns()) return;
  const std::string containerd = ContainerdAddress();
  if (containerd.empty()) return;
  auto paths = ListenPathsOf(OutputOf({"systemctl", "show", "--property=Listen", "crivet.socket"}));
  if (paths.empty()) paths.push_back(config.listen);
  for (const std::string& path : paths) {
    if (!SamePlace(path, containerd)) continue;
    findings.wrong.push_back(
        fmt::format("crivet and containerd would both listen on {}: \"crivet takeover\" moves "
                    "containerd first",
                    path));
  }
}

}  // namespace

NodeFindings CheckNode(const Config& config) {
  NodeFindings findings;
  CheckSockets(config, findings);
  std::error_code ignored;
  if (!std::filesystem::is_socket(config.upstream, ignored)) return findings;
  if (const auto facts = AskRuntime(config.upstream, kPatience)) {
    findings.warnings = RuntimeWarnings(config, *facts);
  } else {
    findings.warnings.push_back(fmt::format("the runtime does not answer at {}", config.upstream));
  }
  return findings;
}

Place PlaceOnNode() {
  if (!SystemdRuns()) return {};
  return PlaceOf(OutputOf({"systemctl", "show", "--property=ExecStart", "crivet.service"}));
}

Place PlaceOf(std::string_view exec_start) {
  const auto command = CommandOf(exec_start);
  if (!command) return {};
  const auto option = std::find(command->begin(), command->end(), "--in-place");
  if (option == command->end() || option + 1 == command->end()) return {};
  return {.moved_upstream = *(option + 1)};
}

std::vector<std::string> RuntimeWarnings(const Config& config, const RuntimeFacts& facts) {
  std::vector<std::string> warnings;
  if (config.gate.sandbox_image.empty() && facts.sandbox_image.empty()) {
    warnings.emplace_back(
        "the runtime does not tell the name of its sandbox image, so it is not judged: set "
        "sandbox_image in [gate]");
  }
  for (const std::string& handler : facts.handlers) {
    const bool pulls_in_guest =
        handler.find("kata") != std::string::npos || handler.find("enclave") != std::string::npos;
    if (!pulls_in_guest) continue;
    warnings.push_back(fmt::format(
        "runtime handler \"{}\" may pull images again inside its virtual machine, where crivet "
        "does not see it",
        handler));
  }
  return warnings;
}

std::vector<std::string> ListenPathsOf(const std::string& shown) {
  std::vector<std::string> paths;
  std::istringstream lines(shown);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Listen=/")) continue;
    paths.push_back(line.substr(7, line.find(" (") - 7));
  }
  return paths;
}

}  // namespace crivet::proxy
