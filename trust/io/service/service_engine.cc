// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: what a pull, the clock and a reload begin shares one setup and its lock.
#include "trust/io/service/service_engine.h"

#include <algorithm>
#include <future>
#include <utility>

namespace crivet::trust {
namespace {

constexpr std::size_t kThreadsForServers = 8;
constexpr char kDisk[] = "disk";
constexpr char kAnswers[] = "answers";
constexpr char kEvidence[] = "evidence";
constexpr char kLater[] = "later";
// The plan is looked at again at least this often, in case the machine slept meanwhile.
constexpr std::chrono::minutes kLongestPlan{10};

// The credentials of a refresh that nobody waits for.
SharedCredentials BackgroundsOwn(const RepositorySlot& slot, const ServiceSetup& setup,
                                 const ServerSetup& server) {
  return setup.Granted(slot.Kept(server.server.label), server, slot.id());
}

bool AsksForNamesAlone(const Kinds& kinds, const CollectionId& id) {
  return FindKind(kinds, id.kind)->asks() == Kind::Asks::kNames;
}

// There is one such refresh at a time.
std::string OwnLaneOf(const CollectionId& id, const FlightKey& key) {
  return "later " + id.kind + ' ' + id.url + ' ' + id.name + ' ' + key.trust + ' ' + key.name;
}

Brought BroughtBy(const RefreshOutcome& outcome) {
  if (outcome) return {outcome->answer, nullptr};
  return {nullptr, std::make_shared<const RefreshFailure>(outcome.error())};
}

}  // namespace

Result<std::unique_ptr<ServiceEngine>> ServiceEngine::Create(ServiceOptions options,
                                                             ServiceSeams seams) {
  Result<std::unique_ptr<FileStore>> store = FileStore::Open(options.state_dir, *seams.files);
  if (!store) return tl::unexpected(std::move(store.error()));
  const std::vector<TrustServer> servers = options.servers;
  std::shared_ptr<const Policy> policy = options.policy;
  std::unique_ptr<ServiceEngine> engine(
      new ServiceEngine(std::move(options), std::move(seams), *std::move(store)));
  if (Result<void> taken = engine->Reconfigure(servers, std::move(policy)); !taken) {
    return tl::unexpected(std::move(taken.error()));
  }
  if (engine->refreshing_ == ServiceOptions::Refreshing::kInBackground) {
    engine->MeasureStored();
    engine->LoadStored();
  }
  return engine;
}

ServiceEngine::ServiceEngine(ServiceOptions options, ServiceSeams seams,
                             std::unique_ptr<FileStore> store)
    : kinds_(options.kinds),
      refreshing_(options.refreshing),
      make_fetcher_(std::move(seams.make_fetcher)),
      await_changed_files_(std::move(options.await_changed_files)),
      clock_(seams.build_date, std::move(seams.clock)),
      journal_(std::move(options.log)),
      store_(std::move(store)),
      runner_(std::make_unique<RefreshRunner>(
          kinds_, *store_, clock_, journal_, [this] { return setup(); },
          [this](const CollectionId& id) { return CompanyOf(id); }, stop_.get_token())),
      table_(std::move(options.machine_id), options.max_resident_bytes),
      evidence_(options.max_evidence_bytes),
      threads_(seams.make_threads()) {}

ServiceEngine::~ServiceEngine() {
  stop_.request_stop();
  threads_->Stop();
  std::map<std::shared_ptr<OpenQuestion>, Timetable::Ticket> open;
  {
    const std::lock_guard lock(mutex_);
    open = open_;
  }
  for (const auto& [question, deadline] : open) question->AnswerNow();
}

std::shared_ptr<const ServiceSetup> ServiceEngine::setup() const {
  const std::lock_guard lock(mutex_);
  return setup_;
}

Result<void> ServiceEngine::Reconfigure(const std::vector<TrustServer>& servers,
                                        std::shared_ptr<const Policy> policy) {
  const std::lock_guard changing(changing_);
  const std::shared_ptr<const ServiceSetup> before = setup();
  Result<std::shared_ptr<const ServiceSetup>> after =
      ServiceSetup::Create(servers, WithFiles(std::move(policy)), make_fetcher_, before.get());
  if (!after) return tl::unexpected(std::move(after.error()));
  threads_->SetQuota(kThreadsForServers / std::max<std::size_t>(servers.size(), 1));
  {
    const std::lock_guard lock(mutex_);
    for (const TrustServer& server : servers) {
      // A reload gives nobody a second start: what is the same goes on.
      const auto known = rates_.find(server.url);
      if (known != rates_.end() && known->second.per_second == server.max_refresh_rate) continue;
      rates_.insert_or_assign(server.url,
                              Rate{server.max_refresh_rate, RefreshRate(server.max_refresh_rate)});
    }
  }
  TakeSetup(*std::move(after));
  Plan(std::chrono::milliseconds(0));
  return {};
}

void ServiceEngine::TakeSetup(std::shared_ptr<const ServiceSetup> taken) {
  {
    const std::lock_guard lock(mutex_);
    setup_ = std::move(taken);
  }
  const std::shared_ptr<const ServiceSetup> now = setup();
  for (const std::shared_ptr<RepositorySlot>& slot : table_.All()) {
    slot->TakeDemands(now->DemandsOn(slot->id()));
    AwaitLoad(slot, [] {});
  }
}

// Under `changing_`. A file that was had under another root, or in another place, is nobody's.
const ServiceEngine::FileHeld* ServiceEngine::HeldBy(const FileReader& reader) const {
  const auto held = files_.find(reader.trust);
  if (held == files_.end()) return nullptr;
  const FileHeld& file = held->second;
  const bool is_its =
      file.from == reader.from && file.name == reader.name && file.demand->Equals(*reader.demand);
  return is_its ? &file : nullptr;
}

// Under `changing_`.
std::shared_ptr<const Policy> ServiceEngine::WithFiles(std::shared_ptr<const Policy> policy) const {
  for (const FileReader& reader : policy->files()) {
    const FileHeld* const held = HeldBy(reader);
    Result<SharedDemand> own = reader.own;
    if (held != nullptr) own = reader.kind->WithFile(reader.own, held->file);
    policy =
        std::make_shared<const Policy>(policy->WithTrust(reader.trust, own.value_or(reader.own)));
  }
  return policy;
}

void ServiceEngine::TakeFiles(const RepositorySlot& slot) {
  const auto is_of_slot = [&](const FileReader& reader) { return reader.from == slot.id(); };
  const auto anybody_reads = [&](const std::vector<FileReader>& files) {
    return std::any_of(files.begin(), files.end(), is_of_slot);
  };
  if (!anybody_reads(setup()->policy().files())) return;
  const std::lock_guard changing(changing_);
  // Where there is none, it has left memory, or could not be had: what was had before stays.
  const std::shared_ptr<const TrustedSet> set = slot.ground().set;
  if (!set) return;
  const std::shared_ptr<const ServiceSetup> current = setup();
  bool news = false;
  for (const FileReader& reader : current->policy().files()) {
    if (!is_of_slot(reader)) continue;
    const std::optional<PublishedFile> file = set->FileOf(reader.name, *reader.demand);
    const FileHeld* const held = HeldBy(reader);
    if (!file) {
      if (held != nullptr) {
        journal_.Say("[trust." + reader.trust + "] no longer has " + reader.name + " of [trust." +
                     reader.supplier + "], which vouches for none");
        news = true;
      }
      files_.erase(reader.trust);
      continue;
    }
    if (held != nullptr && held->file == *file) continue;
    if (held == nullptr || held->file.sha256 != file->sha256) {
      journal_.Say("[trust." + reader.trust + "] has " + reader.name + " of [trust." +
                   reader.supplier + "], sha256 " + ToHex(file->sha256));
    }
    files_.insert_or_assign(reader.trust, FileHeld{reader.from, reader.name, reader.demand, *file});
    news = true;
  }
  if (news) TakeSetup(current->With(WithFiles(current->shared_policy())));
}

std::vector<TrustFileStatus> ServiceEngine::Files() {
  const std::lock_guard changing(changing_);
  std::vector<TrustFileStatus> files;
  for (const FileReader& reader : setup()->policy().files()) {
    TrustFileStatus& one =
        files.emplace_back(TrustFileStatus{reader.trust, reader.supplier, reader.name});
    if (const FileHeld* const held = HeldBy(reader)) {
      one.sha256 = held->file.sha256;
      one.until = held->file.until;
    }
  }
  return files;
}

void ServiceEngine::ForgetFiles(const CollectionId& id) {
  const std::lock_guard changing(changing_);
  const std::size_t gone =
      std::erase_if(files_, [&](const auto& file) { return file.second.from == id; });
  if (gone == 0) return;
  const std::shared_ptr<const ServiceSetup> current = setup();
  TakeSetup(current->With(WithFiles(current->shared_policy())));
  Plan(std::chrono::milliseconds(0));
}

std::optional<ServiceEngine::Wanted> ServiceEngine::SupplierOf(const std::string& trust) {
  const std::shared_ptr<const ServiceSetup> current = setup();
  for (const FileReader& reader : current->policy().files()) {
    if (reader.trust != trust) continue;
    return Wanted{.slot = Slot(reader.from),
                  .server = current->Server(reader.supplier),
                  .credentials = nullptr};
  }
  return std::nullopt;
}

// Nobody asks about a name of theirs, so nobody else would have them loaded and refreshed.
void ServiceEngine::KeepFilesFresh(const ServiceSetup& current, SinceBoot now) {
  for (const FileReader& reader : current.policy().files()) {
    const std::shared_ptr<RepositorySlot> slot = Slot(reader.from);
    slot->NoteDecision(now);
    AwaitLoad(slot, [] {});
  }
}

ServerSilence::Company ServiceEngine::CompanyOf(const CollectionId& id) const {
  for (const std::shared_ptr<RepositorySlot>& slot : table_.All()) {
    if (slot->id().url == id.url && slot->id() != id) return ServerSilence::Company::kOthersThere;
  }
  return ServerSilence::Company::kAlone;
}

std::shared_ptr<RepositorySlot> ServiceEngine::Slot(const CollectionId& id) {
  return table_.Slot(id, clock_.Read().seconds());
}

bool ServiceEngine::AwaitLoad(const std::shared_ptr<RepositorySlot>& slot,
                              RepositorySlot::Then then) {
  switch (slot->AwaitLoad(std::move(then))) {
    case RepositorySlot::Wait::kNot:
      return false;
    case RepositorySlot::Wait::kJoined:
      return true;
    case RepositorySlot::Wait::kBegin:
      break;
  }
  threads_->Submit(kDisk, [this, slot] {
    runner_->Load(*slot);
    TakeFiles(*slot);
    // Whoever waited has looked at the set by the time that it may have to go.
    slot->EndLoad();
    NoteEvidence(*slot);
    table_.KeepWithinMemory();
    Plan(std::chrono::milliseconds(0));
  });
  return true;
}

void ServiceEngine::LoadNow(const std::shared_ptr<RepositorySlot>& slot) {
  std::promise<void> ended;
  switch (slot->AwaitLoad([&ended] { ended.set_value(); })) {
    case RepositorySlot::Wait::kNot:
      return;
    case RepositorySlot::Wait::kJoined:
      break;
    case RepositorySlot::Wait::kBegin:
      runner_->Load(*slot);
      TakeFiles(*slot);
      slot->EndLoad();
      NoteEvidence(*slot);
      table_.KeepWithinMemory();
      break;
  }
  ended.get_future().wait();
}

std::shared_ptr<const RefreshFailure> ServiceEngine::HeldBack(const Wanted& wanted) {
  const ServerSilence::Time now = clock_.Read().since_boot;
  const std::pair<std::shared_ptr<ServerSilence>, const char*> silent[] = {
      {wanted.server->silence, "the server has not answered for other repositories"},
      {wanted.server->token_silence->Of(ClassOf(wanted.credentials)),
       "its token server has not answered for other repositories"}};
  for (const auto& [silence, detail] : silent) {
    const auto cause = silence ? silence->HeldBackBy(now) : std::nullopt;
    if (!cause) continue;
    if (silence->TakeProbe(now, wanted.server->server.timeout)) {
      AwaitRefresh(wanted, [](const Brought&) {});
    }
    return std::make_shared<const RefreshFailure>(
        RefreshFailure{{Reason::kUnreachable, detail}, "", *cause, false, std::nullopt});
  }
  return nullptr;
}

bool ServiceEngine::AwaitRefresh(const Wanted& wanted, RepositorySlot::Landed then) {
  const std::shared_ptr<RepositorySlot>& slot = wanted.slot;
  const std::shared_ptr<const ServerSetup>& server = wanted.server;
  const RepositorySlot::Wish wish{{server->server.label, ClassOf(wanted.credentials),
                                   wanted.asked ? wanted.asked->Key() : std::string()},
                                  wanted.insistence,
                                  server->server.timeout,
                                  threads_->Now(),
                                  clock_.Read().seconds()};
  switch (slot->AwaitFlight(wish, std::move(then))) {
    case RepositorySlot::Wait::kNot:
      return false;
    case RepositorySlot::Wait::kJoined:
      return true;
    case RepositorySlot::Wait::kBegin:
      break;
  }
  const bool still_expired = slot->ground().last_outcome == RefreshHistory::Outcome::kStillExpired;
  {
    // Somebody waits: it begins whatever the rate is, and those that nobody waits for make room.
    const std::lock_guard lock(mutex_);
    const auto rate = rates_.find(server->server.url);
    if (rate != rates_.end()) rate->second.limit.TryTake(clock_.Read().since_boot);
  }
  Submit(slot,
         {server, wish.key, wanted.credentials, wanted.asked,
          still_expired ? Cached::kNoCache : Cached::kAllowed, RepositorySlot::Asker::kPull,
          wish.arrival},
         wanted.waited_for_by);
  return true;
}

void ServiceEngine::Submit(const std::shared_ptr<RepositorySlot>& slot, RefreshRunner::Order order,
                           WaitedForBy waited_for_by) {
  const std::string& host = slot->id().url;
  // A pull may come to wait for what nobody waits for: it finds it under way, and in no queue.
  const bool in_turn = waited_for_by == WaitedForBy::kPull;
  const std::string lane = in_turn ? LaneOf(slot->id()) : OwnLaneOf(slot->id(), order.key);
  // Pods choose which registries are asked where a pattern has no host: any number of those.
  const bool of_many = in_turn && order.server->server.url.empty() && !setup()->NamesRegistry(host);
  WorkerLanes::Task task = [this, slot, order = std::move(order)] {
    const RefreshRunner::Outcome outcome = runner_->RunFromServer(*slot, order);
    TakeFiles(*slot);
    slot->EndFlight(order.key, order.asked ? BroughtBy(outcome) : Brought{});
    NoteEvidence(*slot);
    KeepWithinDisk();
    table_.KeepWithinMemory();
    Plan(std::chrono::milliseconds(0));
  };
  of_many ? threads_->SubmitToOneOfMany(lane, std::move(task))
          : threads_->Submit(lane, std::move(task));
}

// Where two registries are asked, either of them may hang: that holds up those who ask both.
std::string ServiceEngine::LaneOf(const CollectionId& id) const {
  const std::string other = FindKind(kinds_, id.kind)->OtherRegistryOf(id.name);
  return other.empty() ? id.url : id.url + ' ' + other;
}

void ServiceEngine::Keep(const std::shared_ptr<OpenQuestion>& question,
                         Timetable::Clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  open_[question] = threads_->At(deadline, [this, weak = std::weak_ptr(question)] {
    // What is done with an answer must not hold up the next deadline.
    if (weak.lock()) {
      threads_->Submit(kAnswers, [weak] {
        if (const std::shared_ptr<OpenQuestion> late = weak.lock()) late->AnswerNow();
      });
    }
  });
}

void ServiceEngine::Release(const std::shared_ptr<OpenQuestion>& question) {
  {
    const std::lock_guard lock(mutex_);
    const auto open = open_.find(question);
    if (open == open_.end()) return;
    threads_->Drop(open->second);
    open_.erase(open);
  }
  if (question->IsAwaited()) BeginLater();
}

void ServiceEngine::AskLater(LaterQuestion question) {
  {
    const std::lock_guard lock(mutex_);
    later_.Add(std::move(question), threads_->Now());
  }
  BeginLater();
}

// Looked at again whenever this may come out otherwise: at the end of the last pull that waits, of
// a question, and once one has waited for long enough.
void ServiceEngine::BeginLater() {
  std::vector<LaterQuestion> begun;
  {
    const std::lock_guard lock(mutex_);
    const bool pulls_wait = std::any_of(open_.begin(), open_.end(),
                                        [](const auto& one) { return one.first->IsAwaited(); });
    const auto pulls = pulls_wait ? LaterQuestions::Pulls::kWait : LaterQuestions::Pulls::kNone;
    const Timetable::Clock::time_point now = threads_->Now();
    while (auto next = later_.Next(pulls, now)) begun.push_back(*std::move(next));
    threads_->Drop(std::exchange(later_plan_, {}));
    if (const auto due = later_.NextDue()) {
      later_plan_ = threads_->At(*due, [this] { BeginLater(); });
    }
  }
  for (LaterQuestion& question : begun) {
    threads_->Submit(kLater, [this, question = std::move(question)] {
      question.ask([this, server = question.server] { EndLater(server); });
    });
  }
}

void ServiceEngine::EndLater(const std::string& server) {
  {
    const std::lock_guard lock(mutex_);
    later_.Ended(server);
  }
  BeginLater();
}

void ServiceEngine::LoadStored() {
  threads_->Submit(kDisk, [this] {
    const std::shared_ptr<const ServiceSetup> setup = this->setup();
    for (const CollectionId& id : store_->List()) {
      // What no rule reads any more waits on the disk for a rule that does.
      if (FindKind(kinds_, id.kind) && !setup->DemandsOn(id).empty()) AwaitLoad(Slot(id), [] {});
    }
  });
}

// Of what no rule reads any more too: it takes its place on the disk all the same.
void ServiceEngine::MeasureStored() {
  threads_->Submit(kEvidence, [this] {
    for (const CollectionId& id : store_->List()) {
      if (FindKind(kinds_, id.kind) == nullptr || !AsksForNamesAlone(kinds_, id)) continue;
      const FileStore::Stamp stamp = store_->StampOf(id);
      if (!evidence_.Knows(id, stamp)) evidence_.Note(id, stamp, store_->BytesOf(id));
    }
    KeepWithinDisk();
  });
}

void ServiceEngine::NoteEvidence(const RepositorySlot& slot) {
  if (!AsksForNamesAlone(kinds_, slot.id())) return;
  const FileStore::Stamp stamp = store_->StampOf(slot.id());
  if (!evidence_.Knows(slot.id(), stamp)) {
    evidence_.Note(slot.id(), stamp, store_->BytesOf(slot.id()));
  }
}

void ServiceEngine::KeepWithinDisk() {
  if (!evidence_.IsOver()) return;
  // Whoever is at it takes what comes meanwhile too, or the next one does.
  const std::unique_lock one_at_a_time(letting_go_, std::try_to_lock);
  if (!one_at_a_time.owns_lock()) return;
  LetGo(EvidenceHolder::Spares::kWhatIsHere);
  if (evidence_.IsOver()) LetGo(EvidenceHolder::Spares::kNothing);
}

// Under `letting_go_`. Who cannot give what he should keeps what he has, and the others give more.
void ServiceEngine::LetGo(EvidenceHolder::Spares spares) {
  const auto last_use = [this](const EvidenceDisk::Share& share) {
    const std::shared_ptr<RepositorySlot> slot = table_.Find(share.id);
    return slot ? slot->last_decision() : SinceBoot{};
  };
  std::set<CollectionId> fixed;
  while (evidence_.IsOver()) {
    std::vector<EvidenceDisk::Share> excess = evidence_.Excess(fixed);
    if (excess.empty()) return;
    std::stable_sort(excess.begin(), excess.end(),
                     [&](const auto& a, const auto& b) { return last_use(a) < last_use(b); });
    for (const EvidenceDisk::Share& share : excess) {
      if (evidence_.HasRoom()) return;
      const std::shared_ptr<RepositorySlot> slot = Slot(share.id);
      // What no rule reads no image needs.
      const bool unread = setup()->DemandsOn(share.id).empty();
      const std::size_t before = evidence_.bytes();
      const bool went =
          runner_->LetGo(*slot, share.bytes, unread ? EvidenceHolder::Spares::kNothing : spares);
      NoteEvidence(*slot);
      const std::size_t after = evidence_.bytes();
      if (!went || before - std::min(before, after) < share.bytes) fixed.insert(share.id);
    }
  }
}

// The plan is one task: the next look at what is due. An earlier wish takes its place, and nothing
// is left of it: wishes come with each name that pods make up.
void ServiceEngine::Plan(std::chrono::milliseconds in) {
  if (refreshing_ == ServiceOptions::Refreshing::kOnlyWhenAsked) return;
  const Timetable::Clock::time_point when = threads_->Now() + in;
  const std::lock_guard planning(mutex_);
  if (planned_ <= when) return;
  planned_ = when;
  threads_->Drop(plan_);
  plan_ = threads_->At(when, [this, when] {
    {
      const std::lock_guard lock(mutex_);
      if (planned_ != when) return;
      planned_ = Timetable::Clock::time_point::max();
    }
    RefreshDue();
  });
}

// One that is under way stays due until it ends. It must not take its turn again: where answers are
// slow, it would use up the rate of all others.
void ServiceEngine::RefreshDue() {
  struct Overdue {
    DueRefresh due;
    std::shared_ptr<RepositorySlot> slot;
    std::shared_ptr<const ServerSetup> server;
  };
  const std::shared_ptr<const ServiceSetup> current = setup();
  const Moment moment = clock_.Read();
  std::chrono::milliseconds next = kLongestPlan;
  std::vector<Overdue> wanted;
  KeepFilesFresh(*current, moment.seconds());
  const auto is_read = [&](const CollectionId& id) {
    const std::vector<FileReader>& files = current->policy().files();
    return std::any_of(files.begin(), files.end(),
                       [&](const FileReader& reader) { return reader.from == id; });
  };
  for (std::shared_ptr<RepositorySlot>& slot : table_.All()) {
    const bool first = !slot->InUse() && is_read(slot->id()) && slot->ground().loaded;
    if ((!slot->InUse() && !first) || AsksForNamesAlone(kinds_, slot->id())) continue;
    std::shared_ptr<const ServerSetup> server = current->ServerOf(slot->id());
    if (!server) continue;
    DueRefresh due = slot->Due(moment, server->server.refresh_interval);
    if (first && slot->ground().last_outcome == RefreshHistory::Outcome::kNone) due.at = {};
    if (due.at > moment.seconds()) {
      next = std::min(next, std::chrono::milliseconds(due.at) - moment.since_boot);
    } else if (!slot->HasFlight(
                   {server->server.label, ClassOf(BackgroundsOwn(*slot, *current, *server))})) {
      wanted.push_back({due, std::move(slot), std::move(server)});
    }
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Overdue& a, const Overdue& b) { return a.due.at < b.due.at; });
  for (const Overdue& one : wanted) {
    {
      const std::lock_guard lock(mutex_);
      const auto rate = rates_.find(one.server->server.url);
      if (rate != rates_.end() && !rate->second.limit.TryTake(moment.since_boot)) {
        next = std::min(next, rate->second.limit.NextFree() - moment.since_boot);
        continue;
      }
    }
    BeginInBackground(one.slot, one.server, one.due.cached);
  }
  Plan(next);
}

void ServiceEngine::BeginInBackground(const std::shared_ptr<RepositorySlot>& slot,
                                      const std::shared_ptr<const ServerSetup>& server,
                                      Cached cached) {
  const SharedCredentials kept = BackgroundsOwn(*slot, *setup(), *server);
  const RepositorySlot::Wish wish{{server->server.label, ClassOf(kept)},
                                  RepositorySlot::Insistence::kInsists,
                                  server->server.timeout,
                                  threads_->Now(),
                                  clock_.Read().seconds()};
  if (slot->AwaitFlight(wish, [](const Brought&) {}) != RepositorySlot::Wait::kBegin) return;
  Submit(slot, {server, wish.key, kept, std::nullopt, cached, RepositorySlot::Asker::kBackground,
                wish.arrival});
}

}  // namespace crivet::trust
