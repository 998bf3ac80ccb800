#include "proxy/takeover_plan.h"

#include <algorithm>
#include <array>

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::Reason;
using trust::Result;

constexpr char kContainerdConfig[] = "/etc/crivet/containerd.toml";
constexpr char kContainerdAddress[] = "/etc/crivet/containerd-address.toml";
constexpr char kContainerdDropIn[] = "/etc/systemd/system/containerd.service.d/50-crivet.conf";
constexpr char kSocketDropIn[] = "/etc/systemd/system/crivet.socket.d/50-takeover.conf";
constexpr char kServiceDropIn[] = "/etc/systemd/system/crivet.service.d/50-takeover.conf";

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The text between the quotes of `key = "value"`, or a bare value, in the section's own lines.
std::string ValueIn(std::string_view toml, std::string_view section, std::string_view key) {
  bool inside = section.empty();
  while (!toml.empty()) {
    const auto end = std::min(toml.find('\n'), toml.size());
    const std::string_view line = Trim(toml.substr(0, end));
    toml.remove_prefix(std::min(end + 1, toml.size()));
    if (line.starts_with('[')) {
      if (inside) return "";
      inside = line == section;
      continue;
    }
    if (!inside || !line.starts_with(key)) continue;
    std::string_view rest = Trim(line.substr(key.size()));
    if (!rest.starts_with('=')) continue;
    rest = Trim(rest.substr(1));
    if (rest.starts_with('"') || rest.starts_with('\'')) {
      const auto close = rest.find(rest.front(), 1);
      return std::string(rest.substr(1, close == std::string_view::npos ? close : close - 1));
    }
    return std::string(Trim(rest.substr(0, rest.find('#'))));
  }
  return "";
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `--config X`, `--config=X`, `-c X`: the index of the word that starts it, and its value.
struct Option {
  std::size_t index = 0;
  std::size_t words = 0;  // zero where the command does not have it
  std::string value;
};

Option FindOption(const std::vector<std::string>& command,
                  const std::array<std::string_view, 2>& names) {
  for (std::size_t i = 1; i < command.size(); ++i) {
    for (const std::string_view name : names) {
      if (name.empty()) continue;
      if (command[i] == name && i + 1 < command.size()) return {i, 2, command[i + 1]};
      if (command[i].starts_with(std::string(name) + "=")) {
        return {i, 1, command[i].substr(name.size() + 1)};
      }
    }
  }
  return {};
}

constexpr std::array<std::string_view, 2> kConfigOption{"--config", "-c"};
constexpr std::array<std::string_view, 2> kAddressOption{"--address", "-a"};

}  // namespace

Result<std::vector<std::string>> CommandOf(std::string_view exec_start) {
  constexpr std::string_view kBegin = "argv[]=";
  const auto begin = exec_start.find(kBegin);
  const auto end = exec_start.find(" ; ", begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) {
    return Fail(Reason::kMalformed,
                "containerd.service has no ExecStart: is containerd started by another unit?");
  }
  std::string_view text = exec_start.substr(begin + kBegin.size(), end - begin - kBegin.size());
  std::vector<std::string> command;
  while (!(text = Trim(text)).empty()) {
    const auto space = std::min(text.find(' '), text.size());
    command.emplace_back(text.substr(0, space));
    text.remove_prefix(space);
  }
  if (command.empty()) return Fail(Reason::kMalformed, "containerd.service has an empty ExecStart");
  return command;
}

std::string ConfigFileOf(const std::vector<std::string>& command) {
  const Option option = FindOption(command, kConfigOption);
  return option.words == 0 ? "/etc/containerd/config.toml" : option.value;
}

std::string ConfigVersionOf(std::string_view config_text) {
  const std::string version = ValueIn(config_text, "", "version");
  return version.empty() ? "1" : version;
}

Result<ContainerdFacts> ParseContainerdFacts(std::string_view exec_start,
                                             std::string_view config_dump) {
  ContainerdFacts facts;
  auto command = CommandOf(exec_start);
  if (!command) return tl::unexpected(command.error());
  facts.command = std::move(*command);
  facts.config_file = ConfigFileOf(facts.command);
  facts.config_version = ConfigVersionOf(config_dump);
  facts.grpc_address = ValueIn(config_dump, "[grpc]", "address");
  facts.ttrpc_address = ValueIn(config_dump, "[ttrpc]", "address");
  for (auto [key, id] : {std::pair{"uid", &facts.uid}, std::pair{"gid", &facts.gid}}) {
    const std::string value = ValueIn(config_dump, "[grpc]", key);
    if (IsNumber(value)) *id = value;
  }
  if (!facts.grpc_address.starts_with('/')) {
    return Fail(Reason::kMalformed,
                "`containerd config dump` names no absolute path as [grpc] address");
  }
  // containerd's own default where the configuration leaves it open.
  if (facts.ttrpc_address.empty()) facts.ttrpc_address = facts.grpc_address + ".ttrpc";
  return facts;
}

std::vector<std::string> TakeoverFiles() {
  return {kContainerdConfig, kContainerdAddress, kSocketDropIn, kServiceDropIn, kContainerdDropIn};
}

Result<TakeoverPlan> PlanTakeover(const ContainerdFacts& facts, const std::string& crivet_command,
                                  const std::string& crivet_config) {
  if (FindOption(facts.command, kAddressOption).words != 0) {
    return Fail(Reason::kMalformed,
                "containerd.service fixes the socket with --address, which wins over every "
                "configuration: move it to [grpc] address in " +
                    facts.config_file + " first");
  }
  TakeoverPlan plan;
  plan.socket_path = facts.grpc_address;
  const std::string folder = plan.socket_path.substr(0, plan.socket_path.rfind('/'));
  plan.upstream_path = folder + "/upstream.sock";

  std::vector<std::string> command = facts.command;
  const Option option = FindOption(command, kConfigOption);
  const auto first = command.begin() + static_cast<std::ptrdiff_t>(option.index);
  if (option.words != 0) {
    command.erase(first, first + static_cast<std::ptrdiff_t>(option.words));
  }
  command.insert(command.begin() + 1, {"--config", kContainerdConfig});
  std::string exec_start;
  for (const std::string& word : command) exec_start += (exec_start.empty() ? "" : " ") + word;

  const std::string note = "# Made by `crivet takeover`; `crivet release` removes it.\n";
  const std::string version = "version = " + facts.config_version + "\n";
  plan.files[kContainerdConfig] =
      note + version + "imports = [" +
      (facts.config_exists ? "\"" + facts.config_file + "\", " : std::string()) + "\"" +
      kContainerdAddress + "\"]\n";
  plan.files[kContainerdAddress] = note + version + "[grpc]\n  address = \"" + plan.upstream_path +
                                   "\"\n[ttrpc]\n  address = \"" + facts.ttrpc_address + "\"\n";
  plan.files[kContainerdDropIn] = note + "[Service]\nExecStart=\nExecStart=" + exec_start + "\n";
  plan.files[kSocketDropIn] = note + "[Socket]\nListenStream=\nListenStream=" + plan.socket_path +
                              "\nSocketUser=" + facts.uid + "\nSocketGroup=" + facts.gid +
                              "\nDirectoryMode=0711\nRemoveOnStop=yes\n";
  plan.files[kServiceDropIn] = note + "[Service]\nExecStart=\nExecStart=" + crivet_command +
                               " serve --config " + crivet_config + " --in-place " +
                               plan.upstream_path + "\nSupplementaryGroups=" + facts.gid + "\n";
  return plan;
}

}  // namespace crivet::proxy
