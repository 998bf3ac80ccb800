// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/host_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "proxy/config/config_files.h"
#include "proxy/config/registry_files.h"
#include "proxy/program.h"
#include "proxy/takeover/containerd_node.h"
#include "proxy/takeover/verifier_check.h"
#include "proxy/wall_clock.h"

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

// A door that is there and is gone around is worse than none.
void CheckVerifier(const ContainerdConfig& config, HostFindings& findings) {
  const auto folder = VerifierFolderOf(config);
  if (!folder) return;
  std::vector<std::string> programs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(*folder, error)) {
    programs.push_back(entry.path().filename().string());
  }
  for (std::string& gap : VerifierGaps(config, std::move(programs))) {
    findings.wrong.push_back(std::move(gap));
  }
}

void CheckRegistries(const Config& config, const ContainerdConfig& containerd,
                     const std::vector<std::string>& environment, HostFindings& findings) {
  for (std::string& warning : RegistryWarnings(config, containerd, environment)) {
    findings.warnings.push_back(std::move(warning));
  }
  if (!RegistriesOf(containerd).folders.empty()) return;
  for (const trust::TrustServer& server : config.servers) {
    if (!HasRegistryFiles(server.registry_config)) continue;
    findings.warnings.push_back(fmt::format(
        "containerd reads no hosts.toml, for its config_path is empty, and crivet those in {}: set "
        "config_path in containerd's configuration, or registry_config = [] in [trust.{}]",
        fmt::join(server.registry_config, ", "), server.label));
  }
}

// Where containerd listens; empty where systemd starts none. What would change with its next start,
// and how it finds its way to registries, goes to `findings`.
Result<std::string> ContainerdAddress(const Config& config, HostFindings& findings) {
  const auto unit = ReadContainerdUnit();
  // A machine whose runtime is another one, or is started by another program, has no finding.
  if (!unit && unit.error().reason == trust::Reason::kState) return std::string();
  if (!unit) return tl::unexpected(unit.error());
  const auto process = ReadContainerdProcess(*unit);
  if (!process) return tl::unexpected(process.error());
  const auto options = ParseContainerdOptions(process->arguments);
  if (!options) return tl::unexpected(options.error());
  const std::string file = ConfigFileOf(*process, *options);
  std::error_code ignored;
  const bool exists = std::filesystem::exists(file, ignored);
  const auto dumped = DumpContainerdConfig(*process, exists ? file : "");
  if (dumped) {
    CheckRegistries(config, *dumped, process->environment, findings);
    CheckVerifier(*dumped, findings);
  }
  if (options->address) return options->address->value;
  if (!dumped) return tl::unexpected(dumped.error());
  if (file == kMovedConfig) {
    const auto proven = ProveInPlace(*process);
    if (!proven) findings.warnings.push_back(proven.error().detail);
  }
  return dumped->grpc_address;
}

// containerd unlinks its path when it starts and stops: two at one path cut each other off.
void CheckSockets(const Config& config, HostFindings& findings) {
  if (!SystemdRuns()) return;
  const auto containerd = ContainerdAddress(config, findings);
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

// The proxy of HTTPS that a process has, as Go programs look it up; without what it may have of a
// password.
std::string ProxyIn(const std::vector<std::string>& environment) {
  for (const std::string_view name : {"HTTPS_PROXY=", "https_proxy="}) {
    for (const std::string& variable : environment) {
      if (!variable.starts_with(name) || variable.size() == name.size()) continue;
      std::string url = variable.substr(name.size());
      const auto scheme = url.find("://");
      const auto at = url.rfind('@');
      if (at == std::string::npos) return url;
      return url.substr(0, scheme == std::string::npos ? 0 : scheme + 3) + url.substr(at + 1);
    }
  }
  return "";
}

// Where runtimes listen that people use.
std::vector<std::string> OtherRuntimes(const Config& config) {
  std::vector<std::string> others;
  for (const char* path : {"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock",
                           "/run/crio/crio.sock", "/run/cri-dockerd.sock"}) {
    std::error_code ignored;
    if (SamePlace(path, config.upstream) || SamePlace(path, config.listen)) continue;
    if (std::filesystem::is_socket(path, ignored)) others.emplace_back(path);
  }
  return others;
}

void CheckImages(const Config& config, const RuntimeFacts& facts, HostFindings& findings) {
  auto inventory = TakeInventory(config.upstream, config.image_upstream, config.state_dir);
  if (!inventory) {
    findings.warnings.push_back(inventory.error().detail);
    return;
  }
  inventory->sandbox_image =
      config.gate.sandbox_image.empty() ? facts.sandbox_image : config.gate.sandbox_image;
  findings.refused = RefusedByRules(*inventory, *config.policy, Now());
  for (std::string& warning :
       SandboxByTagWarnings(*config.policy, facts.name, inventory->sandbox_image, Now())) {
    findings.warnings.push_back(std::move(warning));
  }
  findings.inventory = std::move(*inventory);
}

}  // namespace

HostFindings CheckHost(const Config& config) {
  HostFindings findings;
  CheckSockets(config, findings);
  std::set<std::vector<std::string>> looked_at;
  for (const trust::TrustServer& server : config.servers) {
    if (!looked_at.insert(server.registry_config).second) continue;
    for (std::string& warning : RegistryFileWarnings(server.registry_config)) {
      findings.warnings.push_back(std::move(warning));
    }
  }
  std::error_code ignored;
  if (!std::filesystem::is_socket(config.upstream, ignored)) {
    findings.warnings.push_back(NoRuntimeAt(config.upstream, OtherRuntimes(config)));
    return findings;
  }
  const auto facts = AskRuntime(config.upstream, kPatience);
  if (!facts) {
    findings.warnings.push_back(facts.error().detail);
    return findings;
  }
  for (std::string& warning : RuntimeWarnings(config, *facts)) {
    findings.warnings.push_back(std::move(warning));
  }
  CheckImages(config, *facts, findings);
  return findings;
}

std::string NoRuntimeAt(const std::string& upstream, const std::vector<std::string>& others) {
  std::string text =
      fmt::format("no runtime is at {}: is it running, and is \"upstream\" its socket?", upstream);
  for (const std::string& other : others) text += fmt::format(" One is at {}.", other);
  return text;
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
  if (facts.name == "containerd" && !facts.tells_origins) {
    warnings.push_back(fmt::format(
        "containerd does not serve its own API at {} (Containers.Get, Snapshots.Stat), so that "
        "what "
        "it makes of an image cannot be checked: every container under an enforced rule is refused",
        config.upstream));
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

std::vector<std::string> RegistryWarnings(const Config& config, const ContainerdConfig& containerd,
                                          const std::vector<std::string>& environment) {
  std::vector<std::string> warnings;
  const ContainerdRegistries registries = RegistriesOf(containerd);
  for (const trust::TrustServer& server : config.servers) {
    if (server.registry_config.empty()) continue;
    const std::string section = fmt::format("[trust.{}]", server.label);
    if (!registries.folders.empty() && registries.folders != server.registry_config) {
      warnings.push_back(
          fmt::format("containerd asks registries as {} says, and crivet as {}: registry_config = "
                      "[\"{}\"] in {}",
                      fmt::join(registries.folders, ", "), fmt::join(server.registry_config, ", "),
                      fmt::join(registries.folders, "\", \""), section));
    }
    if (registries.folders.size() > 1 && PullsByTransferService(containerd)) {
      warnings.emplace_back(
          "containerd takes a config_path of several folders for the name of one where it pulls by "
          "its transfer service, and asks registries as if there were no hosts.toml; crivet reads "
          "each of them: name one folder in config_path");
    }
    if (registries.has_mirrors) {
      warnings.emplace_back(
          "containerd has [registry.mirrors], which crivet does not read: with the same hosts in "
          "hosts.toml files below its config_path both ask alike");
    }
    for (const std::string& host : registries.with_credentials) {
      warnings.push_back(fmt::format(
          "containerd has credentials for {} in its configuration, which crivet does not read: "
          "auth = \"/etc/crivet/registries.json\" in {}, a Docker config.json that has them",
          host, section));
    }
    if (const std::string proxy = ProxyIn(environment); !proxy.empty() && server.proxy.empty()) {
      warnings.push_back(fmt::format(
          "containerd asks registries through {}, and crivet directly: proxy = \"{}\" in {}", proxy,
          proxy, section));
    }
  }
  return warnings;
}

std::vector<std::string> SandboxByTagWarnings(const trust::Policy& policy,
                                              const std::string& runtime,
                                              const std::string& sandbox_image,
                                              trust::TimePoint now) {
  const auto reference = trust::ImageReference::Parse(sandbox_image);
  if (runtime != "cri-o" || !reference || reference->digest()) return {};
  const auto rules = policy.RulesFor(*reference, now);
  const bool is_verified = std::any_of(rules.begin(), rules.end(), [](const auto& applied) {
    return applied.rule->action == trust::Action::kVerify;
  });
  if (!is_verified) return {};
  return {fmt::format(
      "CRI-O takes its sandbox image {} by the tag, which it cannot be given: no pod starts while "
      "the registry has other content there than what is signed. Name it by digest in pause_image",
      sandbox_image)};
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
