// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/containerd_node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/config/config_files.h"
#include "proxy/config/containerd_files.h"
#include "proxy/program.h"

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;
using trust::Fail;
using trust::Reason;
using trust::Result;

constexpr std::chrono::seconds kPatience{5};
constexpr char kUsualConfig[] = "/etc/containerd/config.toml";
constexpr std::size_t kMostProcText = 4 * 1024 * 1024;

// Files of /proc have no size; their entries end with a zero byte.
std::vector<std::string> ReadEntries(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::string> entries;
  std::size_t bytes = 0;
  for (std::string entry; std::getline(stream, entry, '\0');) {
    bytes += entry.size();
    if (bytes > kMostProcText) return {};
    entries.push_back(entry);
  }
  return entries;
}

std::string LinkOf(const std::string& path) {
  std::error_code ignored;
  return fs::read_symlink(path, ignored).string();
}

bool IsThere(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// As a shell finds a program; empty where there is none.
std::string FoundByPath(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string file = fmt::format("{}/{}", folder, name);
    if (folder.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

// A file with this text for a moment, where nobody else can write.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const char* parent = access("/run", W_OK) == 0 ? "/run" : "/tmp";
    path_ = std::string(parent) + "/crivet-proof.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  // Empty where it cannot be written.
  std::string Write(const std::string& name, const std::string& text) const {
    if (path_.empty()) return {};
    const std::string file = path_ + "/" + name;
    std::ofstream stream(file);
    stream << text;
    stream.close();
    return stream ? file : std::string();
  }

 private:
  std::string path_;
};

std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1).substr(0, 400);
}

std::vector<std::string> FilesWithAddress(const std::vector<std::string>& files) {
  std::vector<std::string> named;
  for (const std::string& file : files) {
    const auto text = ReadNamedFile(file, Secrecy::kPublic);
    const auto parsed = text ? ParseContainerdConfigFile(*text)
                             : Result<ContainerdConfigFile>(ContainerdConfigFile());
    if (parsed && parsed->sets_address) named.push_back(file);
  }
  return named;
}

}  // namespace

Result<ContainerdUnit> ReadContainerdUnit() {
  const auto shown = RunProgram(
      {"systemctl", "show", std::string("--property=") + kUnitProperties, "containerd.service"},
      kPatience);
  if (!shown) return tl::unexpected(shown.error());
  return ParseContainerdUnit(shown->text);
}

Result<ContainerdProcess> ReadContainerdProcess(const ContainerdUnit& unit) {
  if (unit.main_pid.value_or(0) == 0) {
    auto process = ProcessOfUnit(unit);
    if (!process) return process;
    process->environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"};
    // A name alone is for PATH to find: never what lies in the folder where somebody runs this.
    const bool absolute = process->program.starts_with('/');
    if (!absolute || !IsThere(process->program)) process->program = FoundByPath("containerd");
    return process;
  }
  const std::string folder = fmt::format("/proc/{}", *unit.main_pid);
  ContainerdProcess process;
  process.program = LinkOf(folder + "/exe");
  // Replaced on disk since it started: what is there now is what the next start runs.
  constexpr std::string_view kGone = " (deleted)";
  if (process.program.ends_with(kGone)) {
    process.program.resize(process.program.size() - kGone.size());
  }
  process.arguments = ReadEntries(folder + "/cmdline");
  process.environment = ReadEntries(folder + "/environ");
  process.folder = LinkOf(folder + "/cwd");
  if (process.program.empty() || process.arguments.empty()) {
    return Fail(Reason::kState,
                fmt::format("what containerd (process {}) runs with cannot be read{}",
                            *unit.main_pid, geteuid() == 0 ? "" : ": this needs root"));
  }
  if (fs::path(process.program).filename() != "containerd") {
    return Fail(
        Reason::kMalformed,
        fmt::format("containerd.service runs {}, which is not containerd: crivet does not move "
                    "it",
                    process.program));
  }
  return process;
}

Result<ContainerdConfig> DumpContainerdConfig(const ContainerdProcess& process,
                                              const std::string& config_file) {
  const TemporaryFolder folder;
  // containerd 1.x prints nothing where there is no file.
  const std::string file =
      config_file.empty() ? folder.Write("empty.toml", "# containerd's defaults\n") : config_file;
  if (file.empty()) return Fail(Reason::kState, "no file can be written in /run");
  // Its own options do not count for the print: `config dump` reads --config alone.
  const auto output = RunInert({.path = process.program,
                                .arguments = {"containerd", "--config", file, "config", "dump"},
                                .environment = process.environment},
                               kPatience);
  if (!output) return tl::unexpected(output.error());
  if (output->exit_status != 0) {
    return Fail(Reason::kMalformed, fmt::format("`{} --config {} config dump` fails: {}",
                                                process.program, file, LastLine(output->errors)));
  }
  return ParseContainerdConfig(output->text);
}

Result<ContainerdFacts> ReadContainerd() {
  ContainerdFacts facts;
  auto unit = ReadContainerdUnit();
  if (!unit) return tl::unexpected(unit.error());
  facts.unit = std::move(*unit);
  auto process = ReadContainerdProcess(facts.unit);
  if (!process) return tl::unexpected(process.error());
  facts.process = std::move(*process);
  const auto options = ParseContainerdOptions(facts.process.arguments);
  if (!options) return tl::unexpected(options.error());
  const std::string file = ConfigFileOf(facts.process, *options);
  auto files = ConfigFilesOf(file);
  if (!files) return tl::unexpected(files.error());
  if (files->empty() && options->config) {
    return Fail(Reason::kMalformed,
                fmt::format("containerd runs with {} {}, which is not there any more",
                            options->config->written, file));
  }
  facts.files = std::move(*files);
  auto config = DumpContainerdConfig(facts.process, facts.files.empty() ? "" : file);
  if (!config) return tl::unexpected(config.error());
  facts.config = std::move(*config);
  return facts;
}

std::vector<std::string> ResetsOf(const ContainerdUnit& unit) {
  std::vector<std::string> resets;
  for (const std::string& drop_in : unit.drop_ins) {
    const auto text = ReadNamedFile(drop_in, Secrecy::kPublic);
    std::istringstream lines(text ? *text : std::string());
    for (std::string line; std::getline(lines, line);) {
      line.erase(0, line.find_first_not_of(" \t"));
      const bool sets = line.starts_with("ExecStart") && line.find('=') != std::string::npos &&
                        line.find_first_of(" \t=") == std::string_view("ExecStart").size();
      if (sets) {
        resets.push_back(drop_in);
        break;
      }
    }
  }
  return resets;
}

Result<void> ProvePlan(const ContainerdFacts& facts, const TakeoverPlan& plan) {
  const TemporaryFolder folder;
  std::vector<std::string> imports = facts.files;
  imports.push_back(folder.Write("address.toml", plan.files.at(kMovedAddress)));
  const std::string main = folder.Write("main.toml", MainFileOf(imports));
  if (main.empty() || imports.back().empty()) {
    return Fail(Reason::kState, "no file can be written in /run");
  }
  const auto moved = DumpContainerdConfig(facts.process, main);
  if (!moved) return tl::unexpected(moved.error());
  const std::string lost =
      ProofOf(facts.config, *moved, plan.upstream_path, FilesWithAddress(facts.files));
  if (lost.empty()) return {};
  return Fail(Reason::kMalformed, fmt::format("containerd cannot be moved by a configuration that "
                                              "reads its own: {}. Nothing was changed",
                                              lost));
}

Result<void> ProveInPlace(const ContainerdProcess& process) {
  const auto main = ReadNamedFile(kMovedConfig, Secrecy::kPublic);
  const auto parsed = main ? ParseContainerdConfigFile(*main)
                           : Result<ContainerdConfigFile>(Fail(Reason::kState, main.error()));
  if (!parsed || parsed->imports.empty()) {
    return Fail(Reason::kMalformed,
                std::string(kMovedConfig) + " is not as `crivet takeover` made it");
  }
  std::string own = parsed->imports.front();
  // There was none, so that it can only be the usual one if there is one now.
  if (own == kMovedAddress) own = IsThere(kUsualConfig) ? kUsualConfig : "";
  const auto config = DumpContainerdConfig(process, own);
  if (!config) return tl::unexpected(config.error());
  const auto moved = DumpContainerdConfig(process, kMovedConfig);
  if (!moved) return tl::unexpected(moved.error());
  const auto address = DumpContainerdConfig(process, kMovedAddress);
  if (!address) return tl::unexpected(address.error());
  const auto files = own.empty() ? std::vector<std::string>()
                                 : ConfigFilesOf(own).value_or(std::vector<std::string>());
  const std::string lost = ProofOf(*config, *moved, address->grpc_address, FilesWithAddress(files));
  if (lost.empty()) return {};
  return Fail(
      Reason::kMalformed,
      fmt::format("containerd's configuration has changed since `crivet takeover`: at its next "
                  "start {}. `crivet release`, then `crivet takeover`, takes it in",
                  lost));
}

}  // namespace crivet::proxy
