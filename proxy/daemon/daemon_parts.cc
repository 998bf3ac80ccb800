// SPDX-License-Identifier: Apache-2.0

// How the daemon is made, and what others see of it.
#include "proxy/daemon/daemon_parts.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "proxy/config/config_files.h"
#include "proxy/gate/node_review.h"
#include "proxy/runtime/node_inventory.h"
#include "proxy/version.h"
#include "proxy/watch/audit_event.h"
#include "trust/kinds.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRuntimePatience{1500};

std::string MachineId() {
  sd_id128_t id;
  if (sd_id128_get_machine(&id) < 0) return {};
  std::string text(SD_ID128_STRING_MAX - 1, '\0');
  sd_id128_to_string(id, text.data());
  return text;
}

trust::Result<Listener> ListenFor(const Config& config, const Place& place) {
  auto inherited = Listener::FromSystemd();
  if (!inherited) return tl::unexpected(inherited.error());
  if (!inherited->has_value()) {
    if (!place.in_place()) return Listener::Bind(config.listen, config.upstream);
    // Anywhere else nobody would look for the runtime.
    return trust::Fail(trust::Reason::kState,
                       "in place of the runtime's socket, and systemd handed over none: start "
                       "crivet.socket");
  }
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

trust::Result<void> DaemonParts::Make() {
  if (auto made = MakeSignals(); !made) return made;
  auto listener = ListenFor(*config_, place_);
  if (!listener) return tl::unexpected(listener.error());
  if (auto made = MakeTrust(); !made) return made;
  if (auto made = MakeGate(); !made) return made;
  if (auto made = MakeRoad(std::move(*listener)); !made) return made;
  MakeLocalReview();
  if (auto made = MakeAdmin(); !made) return made;
  return MakeMetrics(config_->metrics_listen);
}

trust::Result<void> DaemonParts::MakeSignals() {
  // A client that went away is an error of its call, never a signal.
  (void)std::signal(SIGPIPE, SIG_IGN);
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

trust::Result<void> DaemonParts::MakeTrust() {
  trust::TrustService::Options options;
  options.kinds = trust::AllKinds();
  options.state_dir = config_->state_dir;
  options.servers = config_->servers;
  options.policy = config_->policy;
  options.machine_id = MachineId();
  options.await_changed_files = [this](std::function<void()> then) {
    return named_files_.AwaitChange(std::move(then));
  };
  options.log = [this](const std::string& line) { log_.Warn(line); };
  auto service = trust::TrustService::Create(std::move(options));
  if (!service) return tl::unexpected(service.error());
  trust_ = std::move(*service);
  decider_ = std::make_unique<TrustDecider>(*trust_, config_->policy);
  return {};
}

trust::Result<void> DaemonParts::MakeGate() {
  auto audit = AuditLog::Create(
      {.target = config_->audit, .on_drop = [this] { metrics_.CountAuditDrop(); }});
  if (!audit) return tl::unexpected(audit.error());
  audit_ = std::move(*audit);
  Gate::Options options;
  options.upstream = config_->upstream;
  options.image_upstream = config_->image_upstream;
  options.state_dir = config_->state_dir;
  options.gate = config_->gate;
  options.budget = budget_;
  options.tickets = tickets_;
  options.decider = decider_.get();
  options.audit = audit_.get();
  options.metrics = &metrics_;
  options.log = [this](const std::string& line) { log_.Warn(line); };
  options.on_translation = [this] { StartTranslation(); };
  auto gate = Gate::Create(std::move(options));
  if (!gate) return tl::unexpected(gate.error());
  gate_ = std::move(*gate);
  second_door_ = std::make_unique<SecondDoor>(*decider_, *tickets_, *audit_, metrics_);
  probe_ = std::make_unique<GateProbe>(
      [this] { return gate_->Connect({.pid = getpid(), .uid = getuid(), .gid = getgid()}); });
  return {};
}

trust::Result<void> DaemonParts::MakeRoad(Listener listener) {
  const std::string path = socket_ = listener.path();
  auto router = Router::Create(
      {.listener = std::move(listener),
       .upstream = config_->upstream,
       .image_upstream = config_->image_upstream,
       .methods = Methods(*config_),
       .connect_gate = [this](const PeerCredentials& peer) { return gate_->Connect(peer); },
       .budget = budget_});
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

trust::Result<void> DaemonParts::MakeMetrics(const std::string& address) {
  metrics_endpoint_.reset();
  if (address.empty()) return {};
  auto endpoint = MetricsEndpoint::Create(address, [this] { return MetricsText(); });
  if (!endpoint) return tl::unexpected(endpoint.error());
  metrics_endpoint_ = std::move(*endpoint);
  return {};
}

trust::Result<NodeInventory> DaemonParts::Inventory() const {
  const auto config = CurrentConfig();
  return TakeInventory(config->upstream, config->image_upstream, config->state_dir);
}

void DaemonParts::MakeLocalReview() {
  LocalReview::Options options;
  options.inventory = [this] { return Inventory(); };
  options.policy = [this] { return trust_->policy(); };
  options.decide = [this](trust::Question question, trust::Answered done) {
    trust_->Decide(std::move(question), std::move(done));
  };
  local_review_ = std::make_unique<LocalReview>(std::move(options));
}

trust::Result<void> DaemonParts::MakeAdmin() {
  AdminServer::Options options;
  options.path = config_->admin;
  options.snapshot = [this] { return TakeSnapshot(); };
  options.review_node = [this](const ReviewCalls& calls) -> trust::Result<NodeInventory> {
    const auto config = CurrentConfig();
    auto inventory = Inventory();
    if (!inventory) return inventory;
    inventory->sandbox_image = config->gate.sandbox_image;
    if (inventory->sandbox_image.empty()) {
      const auto facts = AskRuntime(config->upstream, kRuntimePatience);
      if (facts) inventory->sandbox_image = facts->sandbox_image;
    }
    // A decider of its own: what is only looked at is not counted as decided.
    TrustDecider decider(*trust_, config->policy);
    ReviewNode(*inventory, decider, calls);
    return inventory;
  };
  options.forget = [this](const trust::CollectionId& id) -> trust::Result<void> {
    const auto events = AuditEvents::Open(CurrentConfig()->audit);
    if (!events) return tl::unexpected(events.error());
    if (auto forgotten = trust_->Forget(id); !forgotten) return forgotten;
    return events->Forgotten(id, Now());
  };
  options.forget_names = [this](
                             const trust::CollectionId& id,
                             const trust::ImageReference& signed_as) -> trust::Result<std::size_t> {
    const auto events = AuditEvents::Open(CurrentConfig()->audit);
    if (!events) return tl::unexpected(events.error());
    auto dropped = trust_->ForgetNames(id, signed_as);
    if (!dropped) return dropped;
    if (auto told = events->ForgottenNames(id, signed_as, Now()); !told) {
      return tl::unexpected(told.error());
    }
    return dropped;
  };
  options.forget_tag =
      [this](const trust::CollectionId& id,
             const std::string& tag) -> trust::Result<trust::EvidenceHolder::TagFloor> {
    const auto events = AuditEvents::Open(CurrentConfig()->audit);
    if (!events) return tl::unexpected(events.error());
    auto floor = trust_->ForgetTag(id, tag);
    if (!floor) return floor;
    if (auto told = events->ForgottenTag(id, tag, Now()); !told) {
      return tl::unexpected(told.error());
    }
    return floor;
  };
  options.forget_evidence =
      [this](
          const trust::CollectionId& id) -> trust::Result<trust::TrustService::EvidenceForgotten> {
    const auto events = AuditEvents::Open(CurrentConfig()->audit);
    if (!events) return tl::unexpected(events.error());
    auto dropped = trust_->ForgetEvidence(id);
    if (!dropped) return dropped;
    if (auto told = events->ForgottenEvidence(id, Now()); !told) {
      return tl::unexpected(told.error());
    }
    return dropped;
  };
  options.reload = [this](const std::function<bool()>& go_on) {
    // The main thread hears it like any other, so that there is one way for a file to come in.
    return reloads_.Request([] { kill(getpid(), SIGHUP); }, go_on);
  };
  options.may_pull = [this](const std::string& name, const std::string& digest,
                            SecondDoor::Judged done) {
    second_door_->Judge(name, digest, std::move(done));
  };
  auto admin = AdminServer::Create(std::move(options));
  if (!admin) return tl::unexpected(admin.error());
  admin_ = std::move(*admin);
  return {};
}

std::shared_ptr<const MethodTable> DaemonParts::Methods(const Config& config) const {
  MethodTable::Options options;
  options.containerd_api = config.gate.containerd_api;
  options.tag_translation = translating_ ? TagTranslation::kGate : TagTranslation::kOff;
  options.image_endpoint =
      config.image_upstream.empty() ? ImageEndpoint::kShared : ImageEndpoint::kSeparate;
  options.also_forward = config.gate.also_forward;
  // The configuration's check made a table of the same list.
  return std::make_shared<const MethodTable>(MethodTable::Create(std::move(options)).value());
}

void DaemonParts::StartTranslation() {
  const std::lock_guard lock(mutex_);
  translating_ = true;
  if (router_ != nullptr) router_->SetMethodTable(Methods(*config_));
}

StatusSnapshot DaemonParts::TakeSnapshot() {
  StatusSnapshot snapshot;
  {
    const std::lock_guard lock(mutex_);
    snapshot.config = config_;
    snapshot.config_loaded = config_loaded_;
  }
  snapshot.config_problem = ConfigProblem();
  snapshot.now = Now();
  snapshot.started = started_;
  snapshot.config_file = config_file_;
  snapshot.rules = decider_->Counters();
  snapshot.road = router_->Snapshot();
  snapshot.trust = trust_->Status();
  snapshot.place = place_;
  snapshot.socket = socket_;
  snapshot.unverified_local = local_review_->last();
  snapshot.runtime = AskRuntime(snapshot.config->upstream, kRuntimePatience);
  if (snapshot.runtime) {
    const std::string& images = snapshot.config->image_upstream;
    snapshot.images =
        CountImages(images.empty() ? snapshot.config->upstream : images, kRuntimePatience);
  }
  if (const auto sandbox = trust::ImageReference::Parse(SandboxImageName(snapshot))) {
    snapshot.sandbox = trust_->DecideNow(
        {.reference = *sandbox, .local = std::nullopt, .credentials = std::nullopt});
  }
  return snapshot;
}

std::string DaemonParts::ConfigProblem() const {
  {
    const std::lock_guard lock(mutex_);
    if (!config_problem_.empty()) return config_problem_;
  }
  const std::vector<std::string> of_files = named_files_.Problems();
  return of_files.empty() ? "" : of_files.front();
}

std::string DaemonParts::MetricsText() const {
  const auto unverified = local_review_->last();
  return RenderMetrics(
      {.gate = metrics_.Read(),
       .trust = trust_->Status(),
       .road = router_->Snapshot(),
       .process = ReadProcessFigures(started_),
       .version = std::string(Version()),
       .config_is_newest = ConfigProblem().empty(),
       .unverified_local = unverified ? static_cast<std::int64_t>(unverified->count) : -1});
}

}  // namespace crivet::proxy
