// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/verifier_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace crivet::proxy {
namespace {

constexpr char kProgram[] = "crivet-image-verifier";
constexpr std::string_view kVerifier = "plugins.io.containerd.image-verifier.v1.bindir";
constexpr std::string_view kImages = "plugins.io.containerd.cri.v1.images";

std::string ValueOf(const ContainerdConfig& config, std::string_view section,
                    std::string_view key) {
  const auto at = config.values.find(fmt::format("{}.{}", section, key));
  return at == config.values.end() ? std::string() : at->second;
}

bool HasBelow(const ContainerdConfig& config, const std::string& section) {
  const std::string prefix = section + ".";
  const auto at = config.values.lower_bound(prefix);
  return at != config.values.end() && at->first.starts_with(prefix);
}

/// A key of CRI's image service with which it pulls by itself, where no verifier is asked.
struct PullsLocally {
  std::string_view key;
  std::string_view harmless;  ///< the only value with which it does not
};

constexpr std::array<PullsLocally, 5> kLocal{{{"use_local_image_pull", "false"},
                                              {"discard_unpacked_layers", "false"},
                                              {"image_pull_with_sync_fs", "false"},
                                              {"disable_snapshot_annotations", "true"},
                                              {"max_concurrent_downloads", "3"}}};

void AddLocalPulls(const ContainerdConfig& config, std::vector<std::string>& gaps) {
  const auto past = [&](const std::string& what) {
    gaps.push_back(fmt::format(
        "{} in containerd's configuration: CRI's own pulls do not ask {}, and only those that come "
        "through crivet's socket are judged",
        what, kProgram));
  };
  // Before 2.1 the key was not there, and CRI knew no other way.
  if (ValueOf(config, kImages, kLocal.front().key).empty()) {
    return past(fmt::format("no {}", kLocal.front().key));
  }
  for (const PullsLocally& local : kLocal) {
    const std::string value = ValueOf(config, kImages, local.key);
    if (!value.empty() && value != local.harmless) past(fmt::format("{} = {}", local.key, value));
  }
  for (const char* table : {"mirrors", "configs", "auths"}) {
    if (HasBelow(config, fmt::format("{}.registry.{}", kImages, table))) {
      past(fmt::format("registry.{}", table));
    }
  }
}

// containerd runs so many of the folder, sorted by name; a negative number is no limit.
bool IsSkipped(const ContainerdConfig& config, std::vector<std::string> programs) {
  const std::string text = ValueOf(config, kVerifier, "max_verifiers");
  long most = -1;
  if (std::from_chars(text.data(), text.data() + text.size(), most).ec != std::errc() || most < 0) {
    return false;
  }
  std::sort(programs.begin(), programs.end());
  return std::find(programs.begin(), programs.end(), kProgram) - programs.begin() >= most;
}

}  // namespace

std::optional<std::string> VerifierFolderOf(const ContainerdConfig& config) {
  const std::string quoted = ValueOf(config, kVerifier, "bin_dir");
  if (quoted.size() < 2 || quoted.front() != '"') return std::nullopt;
  return quoted.substr(1, quoted.size() - 2);
}

bool PullsByTransferService(const ContainerdConfig& config) {
  std::vector<std::string> local;
  AddLocalPulls(config, local);
  return local.empty();
}

std::vector<std::string> VerifierGaps(const ContainerdConfig& config,
                                      std::vector<std::string> programs) {
  if (std::find(programs.begin(), programs.end(), kProgram) == programs.end()) return {};
  std::vector<std::string> gaps;
  const auto disabled = config.values.find("disabled_plugins");
  if (disabled != config.values.end() &&
      disabled->second.find("io.containerd.image-verifier.v1") != std::string::npos) {
    gaps.push_back(fmt::format(
        "disabled_plugins in containerd's configuration has the image verifier: {} is never asked",
        kProgram));
  }
  if (IsSkipped(config, std::move(programs))) {
    gaps.push_back(
        fmt::format("max_verifiers = {} in containerd's configuration: {} comes after that many "
                    "other programs in bin_dir, and is never asked",
                    ValueOf(config, kVerifier, "max_verifiers"), kProgram));
  }
  AddLocalPulls(config, gaps);
  return gaps;
}

}  // namespace crivet::proxy
