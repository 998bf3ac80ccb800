// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/registry_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "trust/io/registry/registry_hosts.h"

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRegistries = 256;

// The registry that a folder is for: `host_port_` and `host:port` are one. `_default` is for those
// that have none.
std::string RegistryOf(std::string name) {
  if (name == "_default") return "any.invalid";
  if (!name.ends_with('_')) return name;
  name.pop_back();
  const auto port = name.rfind('_');
  if (port != std::string::npos) name[port] = ':';
  return name;
}

// The folders in one of them, sorted; nullopt where it cannot be read.
std::optional<std::vector<std::string>> RegistriesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && names.size() < kMaxRegistries) {
      names.push_back(at->path().filename().string());
    }
  }
  // That there is none is how it is by default.
  if (failed && failed != std::errc::no_such_file_or_directory) return std::nullopt;
  std::sort(names.begin(), names.end());
  return names;
}

void LookAt(const std::string& folder, const std::string& name,
            std::vector<std::string>& warnings) {
  const std::string place = folder + '/' + name;
  const auto hosts = trust::HostsFor(RegistryOf(name), {folder});
  if (!hosts) {
    warnings.push_back(fmt::format(
        "{}: {}: no image of that registry can be verified until crivet's user can read it", place,
        hosts.error().said));
    return;
  }
  for (const trust::HostToAsk& ask : *hosts) {
    const trust::RegistryHost& host = ask.host;
    if (ask.broken) {
      warnings.push_back(
          fmt::format("{}: {} is not asked: {}", place, host.authority, *ask.broken));
    }
    if (host.scheme == "http") {
      warnings.push_back(fmt::format(
          "{}: {} is asked without TLS: whoever is between reads the pod's credentials, and says "
          "which digest a tag is",
          place, host.authority));
    } else if (host.skip_verify.value_or(false)) {
      warnings.push_back(fmt::format(
          "{}: {} is asked whoever it is (skip_verify): whoever is between reads the pod's "
          "credentials, and says which digest a tag is",
          place, host.authority));
    }
  }
}

}  // namespace

std::vector<std::string> RegistryFileWarnings(const std::vector<std::string>& folders) {
  std::vector<std::string> warnings;
  for (const std::string& folder : folders) {
    const auto names = RegistriesIn(folder);
    if (!names) {
      warnings.push_back(
          fmt::format("{} in registry_config cannot be read: its registries are "
                      "asked as if it said nothing",
                      folder));
      continue;
    }
    for (const std::string& name : *names) LookAt(folder, name, warnings);
  }
  return warnings;
}

bool HasRegistryFiles(const std::vector<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(), [](const std::string& folder) {
    const auto names = RegistriesIn(folder);
    return names && !names->empty();
  });
}

}  // namespace crivet::proxy
