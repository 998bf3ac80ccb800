// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/takeover_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::Reason;
using trust::Result;

constexpr char kServiceDropIn[] = "/etc/systemd/system/crivet.service.d/50-takeover.conf";
constexpr char kContainerdDropIn[] = "/etc/systemd/system/containerd.service.d/50-crivet.conf";
// systemd reads drop-ins by name: after `override.conf`, which `systemctl edit` makes.
constexpr char kLastDropIn[] = "/etc/systemd/system/containerd.service.d/zz-crivet.conf";
constexpr std::size_t kMostNamed = 5;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The drop-in that no other one resets.
Result<std::string> DropInAfter(const std::vector<std::string>& resets) {
  for (const char* drop_in : {kContainerdDropIn, kLastDropIn}) {
    const bool last = std::all_of(resets.begin(), resets.end(), [&](const std::string& other) {
      return NameOf(other) < NameOf(drop_in);
    });
    if (last) return std::string(drop_in);
  }
  return Fail(Reason::kMalformed,
              fmt::format("{} sets ExecStart= of containerd.service after any drop-in of crivet's: "
                          "give it a name that sorts before {}",
                          *std::max_element(resets.begin(), resets.end(),
                                            [](const std::string& a, const std::string& b) {
                                              return NameOf(a) < NameOf(b);
                                            }),
                          NameOf(kLastDropIn)));
}

}  // namespace

std::vector<std::string> TakeoverFiles() {
  return {kMovedConfig,   kMovedAddress,     kSocketDropIn,
          kServiceDropIn, kContainerdDropIn, kLastDropIn};
}

Result<TakeoverPlan> PlanTakeover(const ContainerdFacts& facts,
                                  const std::vector<std::string>& resets,
                                  const std::string& crivet_command,
                                  const std::string& crivet_config) {
  const auto options = ParseContainerdOptions(facts.process.arguments);
  if (!options) return tl::unexpected(options.error());
  if (options->address) {
    return Fail(Reason::kMalformed,
                fmt::format("containerd.service fixes the socket with {}, which wins over every "
                            "configuration: move it to [grpc] address in {} first",
                            options->address->written, ConfigFileOf(facts.process, *options)));
  }
  const auto exec_start = ExecStartWith(facts.unit, facts.process, kMovedConfig);
  if (!exec_start) return tl::unexpected(exec_start.error());
  const auto drop_in = DropInAfter(resets);
  if (!drop_in) return tl::unexpected(drop_in.error());

  TakeoverPlan plan;
  plan.socket_path = facts.config.grpc_address;
  plan.upstream_path = plan.socket_path.substr(0, plan.socket_path.rfind('/')) + "/upstream.sock";
  std::vector<std::string> imports = facts.files;
  imports.emplace_back(kMovedAddress);
  const std::string note = "# Made by `crivet takeover`; `crivet release` removes it.\n";
  plan.files[kMovedConfig] = MainFileOf(imports);
  plan.files[kMovedAddress] = AddressFileOf(facts.config, plan.upstream_path);
  plan.files[*drop_in] = note + "[Service]\nExecStart=\nExecStart=" + *exec_start + "\n";
  plan.files[kSocketDropIn] = note + "[Socket]\nListenStream=\nListenStream=" + plan.socket_path +
                              "\nSocketUser=" + facts.config.uid +
                              "\nSocketGroup=" + facts.config.gid +
                              "\nDirectoryMode=0711\nRemoveOnStop=yes\n";
  plan.files[kServiceDropIn] = note + "[Service]\nExecStart=\nExecStart=" + crivet_command +
                               " serve --config " + crivet_config + " --in-place " +
                               plan.upstream_path + "\nSupplementaryGroups=" + facts.config.gid +
                               "\n";
  return plan;
}

std::string SocketPathOf(std::string_view socket_drop_in) {
  constexpr std::string_view kKey = "\nListenStream=/";
  const auto at = socket_drop_in.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view path = socket_drop_in.substr(at + kKey.size() - 1);
  return std::string(path.substr(0, path.find('\n')));
}

std::string ProofOf(const ContainerdConfig& config, const ContainerdConfig& moved,
                    const std::string& upstream_path,
                    const std::vector<std::string>& files_with_address) {
  if (moved.grpc_address != upstream_path) {
    return fmt::format(
        "its socket would stay at {}, which {} sets after crivet could", moved.grpc_address,
        files_with_address.empty() ? "a file of its configuration"
                                   : fmt::format("{}", fmt::join(files_with_address, ", ")));
  }
  std::vector<std::string> names = DifferencesOf(config, moved);
  if (names.empty()) return {};
  const std::size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
  names.resize(std::min(names.size(), kMostNamed));
  return fmt::format("it would not run with the same {}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace crivet::proxy
