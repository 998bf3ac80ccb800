// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/daemon.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "proxy/daemon/daemon_parts.h"

namespace crivet::proxy {
namespace {

// Each of some twenty threads, and each that refreshes for a moment, would get an arena of its own
// and keep there what was freed. Few of them allocate at the same time.
constexpr int kMallocArenas = 2;

}  // namespace

trust::Result<std::unique_ptr<Daemon>> Daemon::Create(StartConfig start, std::string config_file,
                                                      Place place) {
  // The admin socket and every file that is made belong to this user alone.
  umask(S_IRWXG | S_IRWXO);
  mallopt(M_ARENA_MAX, kMallocArenas);
  // Pods' pull secrets will be in memory: no core is written of it, and no process of this user may
  // look into it.
  prctl(PR_SET_DUMPABLE, 0);
  // Who watches them has them; once is enough.
  std::vector<NamedFile> files = std::exchange(start.config.named_files, {});
  auto parts = std::make_unique<DaemonParts>(std::move(start), std::move(files),
                                             std::move(config_file), std::move(place));
  if (auto made = parts->Make(); !made) return tl::unexpected(made.error());
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Daemon::Daemon(std::unique_ptr<DaemonParts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

void Daemon::Run() { parts_->Run(); }

}  // namespace crivet::proxy
