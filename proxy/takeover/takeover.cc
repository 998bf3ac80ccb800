// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/takeover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/program.h"
#include "proxy/runtime/runtime_probe.h"
#include "proxy/takeover/containerd_node.h"
#include "proxy/takeover/takeover_plan.h"

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using trust::Fail;
using trust::Reason;
using trust::Result;

// systemctl waits for units to start; containerd gets as long as systemd gives it by default.
constexpr seconds kUnitLimit{120};
constexpr seconds kProbeLimit{30};

// Where unit files live, those of the administrator first.
constexpr const char* kUnitFolders[] = {"/etc/systemd/system", "/run/systemd/system",
                                        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                        "/lib/systemd/system"};

std::string ReadText(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Durable and never over something that is there: each file of a takeover is new.
Result<void> WriteNew(const std::string& path, const std::string& text) {
  std::error_code problem;
  fs::create_directories(fs::path(path).parent_path(), problem);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return Fail(Reason::kState, path + ": " + std::strerror(errno));
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fchmod(fd, 0644) == 0 && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!written) return Fail(Reason::kState, path + ": " + std::strerror(error));
  return {};
}

// Removes the file and its folder where that folder was made for it and is empty again.
void RemoveFile(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
  const fs::path folder = fs::path(path).parent_path();
  if (folder.extension() == ".d") fs::remove(folder, ignored);
}

void RemoveFiles() {
  const std::vector<std::string> files = TakeoverFiles();
  std::for_each(files.rbegin(), files.rend(), RemoveFile);
}

// The unit that a file belongs to: its own name, or that of the folder `x.service.d`.
std::string UnitOf(const fs::path& file) {
  const std::string folder = file.parent_path().filename().string();
  if (folder.ends_with(".service.d") || folder.ends_with(".socket.d")) {
    return folder.substr(0, folder.size() - 2);
  }
  return file.filename().string();
}

}  // namespace

Takeover::Takeover(Options options) : options_(std::move(options)) {}

bool Takeover::IsInPlace() {
  for (const std::string& file : TakeoverFiles()) {
    std::error_code ignored;
    if (fs::exists(file, ignored)) return true;
  }
  return false;
}

Result<void> Takeover::CheckPrivileges() const {
  if (geteuid() != 0) return Fail(Reason::kState, "this needs root");
  std::error_code ignored;
  if (!fs::exists("/run/systemd/system", ignored)) {
    return Fail(Reason::kState, "systemd does not run this machine");
  }
  return {};
}

Result<std::string> Takeover::Systemctl(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{"systemctl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto output = RunProgram(command, kUnitLimit);
  if (!output) return tl::unexpected(output.error());
  if (output->exit_status != 0) {
    std::string text;
    for (const std::string& word : command) text += word + " ";
    return Fail(Reason::kState, text + "failed");
  }
  return std::move(output->text);
}

// Another unit that writes through the old path would find its calls refused
// (proxy/RULES.md#taking-the-sockets-place).
Result<void> Takeover::CheckOthers(const std::string& socket_path,
                                   const std::string& upstream) const {
  for (const char* folder : kUnitFolders) {
    std::error_code problem;
    for (fs::recursive_directory_iterator it(folder, problem), end; !problem && it != end;
         it.increment(problem)) {
      std::error_code ignored;
      if (!it->is_regular_file(ignored)) continue;
      const std::string unit = UnitOf(it->path());
      if (unit.starts_with("containerd") || unit.starts_with("crivet") ||
          unit.starts_with("kubelet")) {
        continue;
      }
      if (ReadText(it->path()).find(socket_path) == std::string::npos) continue;
      const bool active = Systemctl({"is-active", "--quiet", unit}).has_value();
      if (!active && !Systemctl({"is-enabled", "--quiet", unit})) continue;
      return Fail(
          Reason::kState,
          fmt::format(
              "{0} uses {1} ({2}) and may need calls that crivet does not forward: point it at "
              "{3} with a drop-in (systemctl edit {0}), or disable it",
              unit, socket_path, it->path().string(), upstream));
    }
  }
  return {};
}

// Everything that can be known before anything is touched.
Result<TakeoverPlan> Takeover::MakePlan() const {
  auto facts = ReadContainerd();
  if (!facts) return tl::unexpected(facts.error());
  if (facts->unit.main_pid == 0) {
    return Fail(
        Reason::kState,
        "containerd.service does not run: start it first, so that what it runs with and its "
        "containers can be compared");
  }
  auto plan =
      PlanTakeover(*facts, ResetsOf(facts->unit), options_.crivet_command, options_.crivet_config);
  if (!plan) return plan;
  if (auto proven = ProvePlan(*facts, *plan); !proven) return tl::unexpected(proven.error());
  return plan;
}

Result<void> Takeover::Take() {
  if (auto checked = CheckPrivileges(); !checked) return checked;
  if (IsInPlace()) {
    return Fail(Reason::kState,
                "a takeover is in place already, or was interrupted: "
                "`crivet release` undoes it");
  }
  auto plan = MakePlan();
  if (!plan) return tl::unexpected(plan.error());
  if (auto checked = CheckOthers(plan->socket_path, plan->upstream_path); !checked) return checked;
  auto before = ProbeKubelet(plan->socket_path, kProbeLimit);
  if (!before) return tl::unexpected(before.error());
  options_.say("containerd " + before->version + " answers at " + plan->socket_path + ", " +
               std::to_string(before->containers.size()) + " containers");

  const auto step = [&]() -> Result<void> {
    for (const std::string& path : TakeoverFiles()) {
      const auto file = plan->files.find(path);
      if (file == plan->files.end()) continue;
      if (auto written = WriteNew(path, file->second); !written) return written;
    }
    options_.say("moving containerd to " + plan->upstream_path);
    // crivet leaves its own path first; containerd leaves its path before crivet takes it, because
    // it unlinks its configured path when it starts and stops.
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"daemon-reload"},
                                               {"stop", "crivet.service", "crivet.socket"},
                                               {"restart", "containerd.service"}}) {
      if (auto done = Systemctl(arguments); !done) return tl::unexpected(done.error());
    }
    if (auto moved = ProbeKubelet(plan->upstream_path, kProbeLimit); !moved) {
      return tl::unexpected(moved.error());
    }
    options_.say("taking " + plan->socket_path);
    if (auto done = Systemctl({"start", "crivet.socket", "crivet.service"}); !done) {
      return tl::unexpected(done.error());
    }
    auto after = ProbeKubelet(plan->socket_path, kProbeLimit);
    if (!after) return tl::unexpected(after.error());
    if (after->containers != before->containers || after->sandboxes != before->sandboxes) {
      return Fail(Reason::kState, "other containers are listed through crivet than before");
    }
    return ProbeCadvisor(plan->socket_path, kProbeLimit);
  };
  if (auto taken = step(); !taken) {
    options_.say("that failed (" + taken.error().detail + "); putting everything back");
    if (auto back = PutBack(plan->socket_path); !back) {
      return Fail(Reason::kState,
                  taken.error().detail + "; and putting it back failed: " + back.error().detail);
    }
    return taken;
  }
  options_.say("kubelet's and cAdvisor's calls answer through crivet");
  return {};
}

Result<void> Takeover::PutBack(const std::string& socket_path) {
  // What is not running cannot be stopped: no error here may keep the files from going.
  (void)Systemctl({"stop", "crivet.service", "crivet.socket"});
  RemoveFiles();
  if (auto done = Systemctl({"daemon-reload"}); !done) return tl::unexpected(done.error());
  if (auto done = Systemctl({"restart", "containerd.service"}); !done) {
    return tl::unexpected(done.error());
  }
  auto answers = ProbeKubelet(socket_path, kProbeLimit);
  if (!answers) return tl::unexpected(answers.error());
  // Beside the socket again, as before.
  (void)Systemctl({"start", "crivet.socket", "crivet.service"});
  return {};
}

Result<void> Takeover::Release() {
  if (auto checked = CheckPrivileges(); !checked) return checked;
  if (!IsInPlace()) {
    options_.say("crivet is not in the place of containerd's socket: nothing to undo");
    return {};
  }
  options_.say("giving containerd its socket back");
  std::string socket_path = SocketPathOf(ReadText(kSocketDropIn));
  if (socket_path.empty()) {
    // Interrupted before that file was written: containerd has not been moved.
    const auto facts = ReadContainerd();
    socket_path = facts ? facts->config.grpc_address : "/run/containerd/containerd.sock";
  }
  if (auto back = PutBack(socket_path); !back) return back;
  options_.say("containerd answers at " + socket_path);
  return {};
}

}  // namespace crivet::proxy
