#include "proxy/node_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "proxy/config_files.h"
#include "proxy/containerd_node.h"
#include "proxy/program.h"

namespace crivet::proxy {
namespace {

using trust::Result;

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

// Where containerd listens; empty where systemd starts none. What would change with its next start
// goes to `findings`.
Result<std::string> ContainerdAddress(NodeFindings& findings) {
  const auto unit = ReadContainerdUnit();
  // A machine whose runtime is another one, or is started by another program, has no finding.
  if (!unit && unit.error().reason == trust::Reason::kState) return std::string();
  if (!unit) return tl::unexpected(unit.error());
  const auto process = ReadContainerdProcess(*unit);
  if (!process) return tl::unexpected(process.error());
  const auto options = ParseContainerdOptions(process->arguments);
  if (!options) return tl::unexpected(options.error());
  if (options->address) return options->address->value;
  const std::string file = ConfigFileOf(*process, *options);
  std::error_code ignored;
  const bool exists = std::filesystem::exists(file, ignored);
  const auto config = DumpContainerdConfig(*process, exists ? file : "");
  if (!config) return tl::unexpected(config.error());
  if (file == kMovedConfig) {
    const auto proven = ProveInPlace(*process);
    if (!proven) findings.warnings.push_back(proven.error().detail);
  }
  return config->grpc_address;
}

// containerd unlinks its path when it starts and stops: two at one path cut each other off.
void CheckSockets(const Config& config, NodeFindings& findings) {
  if (!SystemdRuns()) return;
  const auto containerd = ContainerdAddress(findings);
  if (!containerd) {
    findings.warnings.push_back("where containerd listens is not compared: " +
                                containerd.error().detail);
    return;
  }
  if (containerd->empty()) return;
  auto paths = ListenPathsOf(OutputOf({"systemctl", "show", "--property=Listen", "crivet.socket"}));
  if (paths.empty()) paths.push_back(config.listen);
  for (const std::string& path : paths) {
    if (!SamePlace(path, *containerd)) continue;
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
    for (std::string& warning : RuntimeWarnings(config, *facts)) {
      findings.warnings.push_back(std::move(warning));
    }
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
