// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/daemon/admin_server.h"
#include "proxy/daemon/gate_probe.h"
#include "proxy/daemon/last_config.h"
#include "proxy/daemon/local_review.h"
#include "proxy/daemon/named_file_watch.h"
#include "proxy/daemon/reload.h"
#include "proxy/daemon/second_door.h"
#include "proxy/daemon/trust_decider.h"
#include "proxy/gate/gate.h"
#include "proxy/owned_fd.h"
#include "proxy/road/router.h"
#include "proxy/wall_clock.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/log.h"
#include "proxy/watch/metrics.h"
#include "proxy/watch/metrics_endpoint.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// DaemonParts is what a Daemon is made of: made in `daemon_parts.cc`, run in `daemon_run.cc`. The
/// main thread owns it; the admin service, the metrics endpoint and the gate call in from theirs.
class DaemonParts {
 public:
  /// `files` are the configuration's.
  DaemonParts(StartConfig start, std::vector<NamedFile> files, std::string config_file, Place place)
      : config_(std::make_shared<const Config>(std::move(start.config))),
        texts_(std::move(start.texts)),
        instead_of_(std::move(start.instead_of)),
        config_file_(std::move(config_file)),
        place_(std::move(place)),
        log_(config_->log_level),
        named_files_(place_) {
    named_files_.Watch(std::move(files));
  }

  DaemonParts(const DaemonParts&) = delete;
  DaemonParts& operator=(const DaemonParts&) = delete;
  ~DaemonParts() {
    if (router_ != nullptr) router_->Stop(std::chrono::milliseconds{0});
    if (road_.joinable()) road_.join();
  }

  trust::Result<void> Make();
  void Run();

 private:
  trust::Result<void> MakeSignals();
  trust::Result<void> MakeTrust();
  trust::Result<void> MakeGate();
  trust::Result<void> MakeRoad(Listener listener);
  trust::Result<void> MakeMetrics(const std::string& address);
  trust::Result<void> MakeAdmin();
  void MakeLocalReview();
  trust::Result<NodeInventory> Inventory() const;

  std::shared_ptr<const MethodTable> Methods(const Config& config) const;
  void StartTranslation();

  bool HandleSignal();
  void Reload();
  ReloadOutcomes::Problems TakeFile();
  ReloadOutcomes::Problems Take(Config next, ConfigTexts texts);
  void TakeChangedFiles();
  void TellOfStart();
  void Keep();
  ReloadOutcomes::Problems KeepBecause(ReloadOutcomes::Problems problems);
  void BeginStop();
  void Watch();

  StatusSnapshot TakeSnapshot();
  std::string MetricsText() const;
  std::string ConfigProblem() const;
  std::shared_ptr<const Config> CurrentConfig() const {
    const std::lock_guard lock(mutex_);
    return config_;
  }

  // What the admin service reads and a reload writes.
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;
  std::string config_problem_;
  trust::TimePoint config_loaded_ = Now();
  bool translating_ = false;
  ReloadOutcomes reloads_;

  ConfigTexts texts_;  // what config_ was read from; the main thread's
  // Until it runs: instead of what it began with those.
  std::vector<ConfigError> instead_of_;

  const std::string config_file_;
  const Place place_;
  const trust::TimePoint started_ = Now();
  std::string socket_;  // set before anybody can ask for it
  Log log_;
  OwnedFd signals_;
  OwnedFd road_ended_;
  Metrics metrics_;
  NamedFileWatch named_files_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<trust::TrustService> trust_;
  std::unique_ptr<TrustDecider> decider_;
  const std::shared_ptr<MessageBudget> budget_ = std::make_shared<MessageBudget>();
  const std::shared_ptr<PullTickets> tickets_ = std::make_shared<PullTickets>();
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<SecondDoor> second_door_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<GateProbe> probe_;
  std::unique_ptr<LocalReview> local_review_;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint_;
  std::unique_ptr<AdminServer> admin_;
  std::thread road_;
  bool stopping_ = false;
  // The main thread's timers beside the watchdog's: the first rings once.
  std::optional<std::chrono::steady_clock::time_point> unmap_code_at_;
  std::optional<std::chrono::steady_clock::time_point> look_at_files_at_;
};

}  // namespace crivet::proxy
