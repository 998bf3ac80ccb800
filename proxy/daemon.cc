#include "proxy/daemon.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include "proxy/admin_server.h"
#include "proxy/audit_event.h"
#include "proxy/audit_log.h"
#include "proxy/config_files.h"
#include "proxy/gate.h"
#include "proxy/gate_probe.h"
#include "proxy/log.h"
#include "proxy/metrics.h"
#include "proxy/metrics_endpoint.h"
#include "proxy/node_review.h"
#include "proxy/reload.h"
#include "proxy/router.h"
#include "proxy/trust_decider.h"
#include "proxy/version.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRuntimePatience{1500};

trust::TimePoint Now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string MachineId() {
  sd_id128_t id;
  if (sd_id128_get_machine(&id) < 0) return {};
  std::string text(SD_ID128_STRING_MAX - 1, '\0');
  sd_id128_to_string(id, text.data());
  return text;
}

trust::Result<Listener> ListenFor(const Config& config) {
  auto inherited = Listener::FromSystemd();
  if (!inherited) return tl::unexpected(inherited.error());
  if (!inherited->has_value()) return Listener::Bind(config.listen, config.upstream);
  for (const std::string& upstream : {config.upstream, config.image_upstream}) {
    if (!upstream.empty() && SamePlace((*inherited)->path(), upstream)) {
      return trust::Fail(trust::Reason::kState,
                         fmt::format("systemd handed over {}, which is the runtime's socket in the "
                                     "configuration too: crivet would call itself",
                                     upstream));
    }
  }
  return std::move(**inherited);
}

}  // namespace

class Daemon::Parts {
 public:
  Parts(Config config, std::string config_file)
      : config_(std::make_shared<const Config>(std::move(config))),
        config_file_(std::move(config_file)),
        log_(config_->log_level) {}

  ~Parts() {
    if (router_ != nullptr) router_->Stop(milliseconds{0});
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

  std::shared_ptr<const MethodTable> Methods(const Config& config) const;
  void StartTranslation();

  bool HandleSignal();
  void Reload();
  void Take(Config next);
  void KeepBecause(const std::string& why);
  void BeginStop();
  void Watch();

  StatusSnapshot TakeSnapshot();
  std::string MetricsText() const;
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

  const std::string config_file_;
  const trust::TimePoint started_ = Now();
  Log log_;
  OwnedFd signals_;
  OwnedFd road_ended_;
  Metrics metrics_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<trust::TrustService> trust_;
  std::unique_ptr<TrustDecider> decider_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<GateProbe> probe_;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint_;
  std::unique_ptr<AdminServer> admin_;
  std::thread road_;
  bool stopping_ = false;
};

trust::Result<void> Daemon::Parts::Make() {
  if (auto made = MakeSignals(); !made) return made;
  auto listener = ListenFor(*config_);
  if (!listener) return tl::unexpected(listener.error());
  if (auto made = MakeTrust(); !made) return made;
  if (auto made = MakeGate(); !made) return made;
  if (auto made = MakeRoad(std::move(*listener)); !made) return made;
  if (auto made = MakeAdmin(); !made) return made;
  return MakeMetrics(config_->metrics_listen);
}

trust::Result<void> Daemon::Parts::MakeSignals() {
  // A client that went away is an error of its call, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  // Threads that come later inherit the mask, so that only this descriptor sees them.
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = OwnedFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  road_ended_ = OwnedFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (signals_ && road_ended_) return {};
  return trust::Fail(trust::Reason::kState, std::generic_category().message(errno));
}

trust::Result<void> Daemon::Parts::MakeTrust() {
  trust::TrustService::Options options;
  options.state_dir = config_->state_dir;
  options.servers = config_->servers;
  options.policy = config_->policy;
  options.machine_id = MachineId();
  options.log = [this](const std::string& line) { log_.Warn(line); };
  auto service = trust::TrustService::Create(std::move(options));
  if (!service) return tl::unexpected(service.error());
  trust_ = std::move(*service);
  decider_ = std::make_unique<TrustDecider>(*trust_, config_->policy);
  return {};
}

trust::Result<void> Daemon::Parts::MakeGate() {
  auto audit = AuditLog::Create(
      {.target = config_->audit, .on_drop = [this] { metrics_.CountAuditDrop(); }});
  if (!audit) return tl::unexpected(audit.error());
  audit_ = std::move(*audit);
  Gate::Options options;
  options.upstream = config_->upstream;
  options.image_upstream = config_->image_upstream;
  options.state_dir = config_->state_dir;
  options.gate = config_->gate;
  options.decider = decider_.get();
  options.audit = audit_.get();
  options.metrics = &metrics_;
  options.log = [this](const std::string& line) { log_.Warn(line); };
  options.on_translation = [this] { StartTranslation(); };
  auto gate = Gate::Create(std::move(options));
  if (!gate) return tl::unexpected(gate.error());
  gate_ = std::move(*gate);
  probe_ = std::make_unique<GateProbe>(
      [this] { return gate_->Connect({.pid = getpid(), .uid = getuid(), .gid = getgid()}); });
  return {};
}

trust::Result<void> Daemon::Parts::MakeRoad(Listener listener) {
  const std::string path = listener.path();
  auto router = Router::Create(
      {.listener = std::move(listener),
       .upstream = config_->upstream,
       .image_upstream = config_->image_upstream,
       .methods = Methods(*config_),
       .connect_gate = [this](const PeerCredentials& peer) { return gate_->Connect(peer); }});
  if (!router) return tl::unexpected(router.error());
  {
    // The gate may already want to change the table.
    const std::lock_guard lock(mutex_);
    router_ = std::move(*router);
    if (translating_) router_->SetMethodTable(Methods(*config_));
  }
  road_ = std::thread([this] {
    router_->Run();
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(road_ended_.get(), &one, sizeof(one));
  });
  log_.Info(fmt::format("crivet {} serves {}", Version(), path), {{"UPSTREAM", config_->upstream}});
  for (const std::string& warning : config_->warnings) log_.Warn(warning);
  return {};
}

trust::Result<void> Daemon::Parts::MakeMetrics(const std::string& address) {
  metrics_endpoint_.reset();
  if (address.empty()) return {};
  auto endpoint = MetricsEndpoint::Create(address, [this] { return MetricsText(); });
  if (!endpoint) return tl::unexpected(endpoint.error());
  metrics_endpoint_ = std::move(*endpoint);
  return {};
}

trust::Result<void> Daemon::Parts::MakeAdmin() {
  AdminServer::Options options;
  options.path = config_->admin;
  options.snapshot = [this] { return TakeSnapshot(); };
  options.review_node = [this](const ReviewCalls& calls) -> trust::Result<void> {
    const auto config = CurrentConfig();
    const auto inventory = TakeInventory(config->upstream, config->image_upstream);
    if (!inventory) return tl::unexpected(inventory.error());
    // A decider of its own: what is only looked at is not counted as decided.
    TrustDecider decider(*trust_, config->policy);
    ReviewNode(*inventory, decider, calls);
    return {};
  };
  options.forget = [this](const trust::RepositoryId& id) -> trust::Result<void> {
    if (auto forgotten = trust_->Forget(id); !forgotten) return forgotten;
    return AuditForget(CurrentConfig()->audit, id, Now());
  };
  auto admin = AdminServer::Create(std::move(options));
  if (!admin) return tl::unexpected(admin.error());
  admin_ = std::move(*admin);
  return {};
}

std::shared_ptr<const MethodTable> Daemon::Parts::Methods(const Config& config) const {
  MethodTable::Options options;
  options.containerd_api = config.gate.containerd_api;
  options.tag_translation = translating_ ? TagTranslation::kGate : TagTranslation::kOff;
  options.image_endpoint =
      config.image_upstream.empty() ? ImageEndpoint::kShared : ImageEndpoint::kSeparate;
  options.also_forward = config.gate.also_forward;
  // The configuration's check made a table of the same list.
  return std::make_shared<const MethodTable>(MethodTable::Create(std::move(options)).value());
}

void Daemon::Parts::StartTranslation() {
  const std::lock_guard lock(mutex_);
  translating_ = true;
  if (router_ != nullptr) router_->SetMethodTable(Methods(*config_));
}

void Daemon::Parts::Run() {
  std::uint64_t watchdog_us = 0;
  const bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
  const int pause_ms = watched ? static_cast<int>(watchdog_us / 1000 / 2) : -1;
  sd_notify(0, "READY=1");
  auto next_watch = std::chrono::steady_clock::now();
  while (true) {
    if (watched && std::chrono::steady_clock::now() >= next_watch) {
      Watch();
      next_watch = std::chrono::steady_clock::now() + milliseconds{pause_ms};
    }
    pollfd watched_fds[] = {
        {signals_.get(), POLLIN, 0}, {road_ended_.get(), POLLIN, 0}, {admin_->fd(), POLLIN, 0}};
    if (poll(watched_fds, std::size(watched_fds), pause_ms) < 0 && errno != EINTR) break;
    if (watched_fds[1].revents != 0) break;
    if (watched_fds[2].revents != 0) admin_->Accept();
    while (HandleSignal()) continue;
  }
  road_.join();
  // Calls in flight have ended with the road; what is left is giving pulled images their tags.
  gate_->Shutdown(milliseconds{0});
  log_.Info("crivet has stopped");
}

bool Daemon::Parts::HandleSignal() {
  signalfd_siginfo signal{};
  if (read(signals_.get(), &signal, sizeof(signal)) != sizeof(signal)) return false;
  if (signal.ssi_signo == SIGHUP) {
    Reload();
  } else {
    BeginStop();
  }
  return true;
}

void Daemon::Parts::BeginStop() {
  const milliseconds drain = stopping_ ? milliseconds{0} : config_->drain;
  if (!stopping_) {
    sd_notify(0, "STOPPING=1");
    log_.Info(fmt::format("stopping: calls in flight get {}", FormatDuration(drain)));
  }
  stopping_ = true;
  router_->Stop(drain);
}

void Daemon::Parts::Reload() {
  if (stopping_) return;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
             static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
  audit_->Reopen();
  if (auto next = LoadConfig(config_file_)) {
    const auto fixed = SettingsThatNeedARestart(*config_, *next);
    if (fixed.empty()) {
      Take(std::move(*next));
    } else {
      KeepBecause(fmt::format("\"{}\" has changed, which needs a restart", fixed.front()));
    }
  } else {
    for (const ConfigError& error : next.error()) log_.Error(error.ToString());
    KeepBecause(next.error().front().ToString());
  }
  sd_notify(0, "READY=1");
}

void Daemon::Parts::KeepBecause(const std::string& why) {
  log_.Error(fmt::format("kept the old configuration: {}", why));
  sd_notifyf(0, "STATUS=Kept the old configuration: %s", why.c_str());
  const std::lock_guard lock(mutex_);
  config_problem_ = why;
}

void Daemon::Parts::Take(Config next) {
  // The one step that can fail comes first, so that nothing has been taken yet when it does.
  if (next.metrics_listen != config_->metrics_listen) {
    if (auto made = MakeMetrics(next.metrics_listen); !made) {
      // The old address was free a moment ago.
      (void)MakeMetrics(config_->metrics_listen);
      return KeepBecause(made.error().detail);
    }
  }
  auto taken = std::make_shared<const Config>(std::move(next));
  log_.SetLevel(taken->log_level);
  trust_->Reconfigure(taken->servers, taken->policy);
  decider_->Reconfigure(taken->policy);
  gate_->Reconfigure(taken->gate);
  {
    const std::lock_guard lock(mutex_);
    config_ = taken;
    config_problem_.clear();
    config_loaded_ = Now();
    router_->SetMethodTable(Methods(*config_));
  }
  log_.Info(fmt::format("took the new configuration, {}", config_file_));
  for (const std::string& warning : taken->warnings) log_.Warn(warning);
  sd_notify(0, "STATUS=");
}

void Daemon::Parts::Watch() {
  constexpr milliseconds kPatience{2000};
  if (!router_->Ping(kPatience)) {
    log_.Error("the road does not answer: no word to the watchdog");
  } else if (!probe_->Answers(kPatience)) {
    log_.Error("the gate does not answer: no word to the watchdog");
  } else {
    sd_notify(0, "WATCHDOG=1");
  }
}

StatusSnapshot Daemon::Parts::TakeSnapshot() {
  StatusSnapshot snapshot;
  {
    const std::lock_guard lock(mutex_);
    snapshot.config = config_;
    snapshot.config_problem = config_problem_;
    snapshot.config_loaded = config_loaded_;
  }
  snapshot.now = Now();
  snapshot.started = started_;
  snapshot.config_file = config_file_;
  snapshot.rules = decider_->Counters();
  snapshot.road = router_->Snapshot();
  snapshot.trust = trust_->Status();
  snapshot.runtime = AskRuntime(snapshot.config->upstream, kRuntimePatience);
  if (const auto sandbox = trust::ImageReference::Parse(SandboxImageName(snapshot))) {
    snapshot.sandbox = trust_->DecideNow({.reference = *sandbox,
                                          .local = std::nullopt,
                                          .credentials = std::nullopt,
                                          .reach = trust::Question::Reach::kOffline});
  }
  return snapshot;
}

std::string Daemon::Parts::MetricsText() const {
  return RenderMetrics({.gate = metrics_.Read(),
                        .trust = trust_->Status(),
                        .road = router_->Snapshot(),
                        .version = std::string(Version()),
                        .now = Now()});
}

trust::Result<std::unique_ptr<Daemon>> Daemon::Create(Config config, std::string config_file) {
  // The admin socket and every file that is made belong to this user alone.
  umask(S_IRWXG | S_IRWXO);
  auto parts = std::make_unique<Parts>(std::move(config), std::move(config_file));
  if (auto made = parts->Make(); !made) return tl::unexpected(made.error());
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

void Daemon::Run() { parts_->Run(); }

}  // namespace crivet::proxy
