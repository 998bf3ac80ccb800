// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: what loads, refreshes and writes a repository holds the same lock of it.
#include "trust/io/service/refresh_runner.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "trust/decide/record_room.h"
#include "trust/io/store/metadata_folder.h"

namespace crivet::trust {
namespace {

// How often a refresh begins anew because another one was quicker.
constexpr int kMaxTries = 3;
// Those for names of one repository run side by side, and what they have verified is kept.
constexpr int kMaxTriesForName = 16;
// An unchanged set is written again only to note that it was verified, which can be an hour old.
constexpr std::chrono::hours kSavedAtPrecision{1};

RefreshRunner::Outcome Drive(Refresh& refresh,
                             const std::function<Fetched(const FileRequest&)>& supply) {
  while (const std::optional<FileRequest> wanted = refresh.Wanted()) {
    refresh.Supply(supply(*wanted));
  }
  return refresh.Finish();
}

tl::unexpected<RefreshFailure> Failed(Error error) {
  return tl::unexpected(RefreshFailure{std::move(error), "", std::nullopt, false, std::nullopt});
}

// The hash under which the state has what a refresh from the store asks for.
std::optional<Sha256> StoredHash(const Manifest& manifest, const FileRequest& request) {
  if (request.sha256) return request.sha256;
  const auto file = manifest.files.find(request.stored_as);
  return file == manifest.files.end() ? std::nullopt : std::optional(file->second);
}

std::vector<std::string> NamesOf(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const auto& [name, sha256] : manifest.files) names.push_back(name);
  return names;
}

// trust/RULES.md#credentials: a pod's own are for its image's registry, and signatures may lie in
// another.
bool IsForPullSecret(const FileRequest& request, const CollectionId& id) {
  if (!request.registry) return true;
  const std::string& repository = request.registry->repository;
  return repository.substr(0, repository.find('/')) == id.url;
}

// trust/RULES.md#time
bool MindTheClock(const Demands& demands, const std::optional<AskedName>& asked) {
  const bool confirms = asked && asked->confirmed_within.count() > 0;
  return confirms || demands.empty() ||
         std::any_of(demands.begin(), demands.end(),
                     [](const auto& demand) { return demand->ReadsClock(); });
}

// Where no pod brings credentials, a refusal concerns the repository, whoever asked.
RepositorySlot::Asker SpeakerOf(const RefreshRunner::Order& order, const RefreshFailure& failure) {
  const bool from_pull = order.server->server.auth == TrustServer::Auth::kFromPull;
  const bool refused = failure.cause == NetworkCause::kCredentialsRefused;
  return refused && !from_pull ? RepositorySlot::Asker::kBackground : order.asker;
}

}  // namespace

RefreshRunner::RefreshRunner(const Kinds& kinds, FileStore& store, ServiceClock& clock,
                             ServiceJournal& journal, CurrentSetup setup, CompanyOf company,
                             std::stop_token stop)
    : kinds_(kinds),
      store_(store),
      clock_(clock),
      journal_(journal),
      setup_(std::move(setup)),
      company_(std::move(company)),
      stop_(std::move(stop)) {}

// Precondition: a slot of a kind that the program knows; the engine makes no others.
const Kind& RefreshRunner::KindOf(const RepositorySlot& slot) const {
  return *FindKind(kinds_, slot.id().kind);
}

TimePoint RefreshRunner::NowOrWall() const {
  const Result<TimePoint> now = clock_.Now();
  return now ? *now : clock_.Read().wall;
}

// trust/RULES.md#time: who runs pods chooses which registries are asked where a pattern names none.
bool RefreshRunner::MayTellTheTime(const RepositorySlot& slot) const {
  return KindOf(slot).server() == Kind::Server::kOwn || setup_()->NamesRegistry(slot.id().url);
}

void RefreshRunner::Load(RepositorySlot& slot) {
  const std::lock_guard lock(slot.commit_mutex());
  LoadLocked(slot);
}

std::optional<Error> RefreshRunner::LoadLocked(RepositorySlot& slot) {
  const std::shared_ptr<const ServiceSetup> setup = setup_();
  const Demands demands = setup->DemandsOn(slot.id());
  RepositorySlot::FromStore found;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    Result<FileStore::Loaded> loaded = store_.Load(slot.id());
    if (!loaded) {
      if (slot.KeepUnread(demands)) return loaded.error();
      found = RepositorySlot::FromStore{};
      found.failure = RefreshFailure{loaded.error(), "", std::nullopt, false, std::nullopt};
      break;
    }
    const FileStore::Stamp stamp = loaded->stamp;
    found = Verified(slot, *setup, *std::move(loaded));
    // Files that another process replaced while they were read are not damage.
    if (found.set || store_.StampOf(slot.id()) == stamp) break;
  }
  found.demands = demands;
  const std::shared_ptr<const TrustedSet> set = found.set;
  slot.Adopt(std::move(found));
  // Whoever wrote the set may have been cut off before it marked what the set has withdrawn.
  if (set) MarkWithdrawn(slot, *set);
  return std::nullopt;
}

RepositorySlot::FromStore RefreshRunner::Verified(const RepositorySlot& slot,
                                                  const ServiceSetup& setup,
                                                  FileStore::Loaded loaded) {
  RepositorySlot::FromStore found;
  found.stamp = loaded.stamp;
  found.records = std::move(loaded.records);
  if (!loaded.manifest) {
    found.set = KindOf(slot).Empty(slot.id());
    return found;
  }
  const Manifest& manifest = *loaded.manifest;
  found.floors = manifest.floors;
  const std::shared_ptr<const ServerSetup> server = setup.ServerOf(slot.id());
  RefreshStart start{.id = slot.id(),
                     .source = RefreshStart::Source::kStore,
                     .floors = manifest.floors,
                     .demands = setup.DemandsOn(slot.id()),
                     .now = NowOrWall(),
                     .verified_at = clock_.NoteStored(manifest.verified_at),
                     .stored = NamesOf(manifest),
                     .limits = server ? server->limits() : Limits{}};
  // A time that the clock has taken back is not written down again.
  if (start.verified_at == manifest.verified_at) found.saved_at = manifest.verified_at;
  const Supplier from_store = [&](const FileRequest& request) -> Fetched {
    const std::optional<Sha256> sha256 = StoredHash(manifest, request);
    if (!sha256) return tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}});
    return store_.ReadFile(slot.id(), *sha256, request.max_bytes);
  };
  Outcome outcome = Drive(*KindOf(slot).Begin(std::move(start)), from_store);
  if (outcome) {
    found.set = outcome->set;
    return found;
  }
  RefreshFailure& failure = outcome.error();
  if (failure.newer_anchors) found.anchors = std::move(failure.newer_anchors->anchors);
  failure.newer_anchors.reset();
  // The server's files are what heals a state that is not whole.
  if (AnswerFor(failure.error.reason) == Answer::kUnavailable) {
    failure = {{Reason::kNoTrustData, "the trust metadata on this node is not complete"},
               failure.at,
               std::nullopt,
               false,
               std::nullopt};
  }
  found.failure = std::move(failure);
  return found;
}

RefreshRunner::Outcome RefreshRunner::Run(RepositorySlot& slot, const Limits& limits,
                                          const Supplier& supply,
                                          const std::optional<AskedName>& asked,
                                          RefreshStart::Ahead ahead) {
  Outcome outcome = Failed({Reason::kState, "other refreshes were quicker"});
  for (int tries = 0; tries < (asked ? kMaxTriesForName : kMaxTries); ++tries) {
    const Demands demands = setup_()->DemandsOn(slot.id());
    {
      const std::lock_guard lock(slot.commit_mutex());
      const RepositorySlot::Ground before = slot.ground();
      // Another process may have refreshed, or forgotten, the repository.
      const bool stale = before.unreadable || store_.StampOf(slot.id()) != before.stamp;
      if (!before.loaded || stale) {
        if (std::optional<Error> unread = LoadLocked(slot)) return Failed(*std::move(unread));
      }
    }
    const RepositorySlot::Ground ground = slot.ground();
    if (ground.unreadable) return tl::unexpected(*ground.unreadable);
    RefreshStart start{.id = slot.id(),
                       .source = RefreshStart::Source::kServer,
                       .ahead = ahead,
                       .previous = ground.set,
                       .floors = ground.floors,
                       .anchors = ground.anchors,
                       .demands = demands,
                       .now = NowOrWall(),
                       .limits = limits,
                       .asked = asked};
    outcome = Drive(*KindOf(slot).Begin(std::move(start)), supply);
    const Result<TimePoint> now = clock_.Now();
    if (!now && MindTheClock(demands, asked)) return Failed(now.error());
    if (Settle(slot, ground, demands, outcome) == Settled::kDone) break;
  }
  if (!outcome) outcome.error().newer_anchors.reset();
  return outcome;
}

RefreshRunner::Supplier RefreshRunner::FromServer(const RepositorySlot& slot, const Order& order,
                                                  Cached cached) {
  MetadataFetcher::Terms terms;
  terms.credentials = order.credentials;
  terms.patience = order.server->server.timeout;
  terms.deadline = std::chrono::steady_clock::now() + kBudgetInTimeouts * terms.patience;
  terms.caches = cached == Cached::kAllowed ? HttpRequest::Caches::kMayAnswer
                                            : HttpRequest::Caches::kMustAskServer;
  terms.stop = stop_;
  terms.arrival = order.arrival;
  return [this, &slot, order, terms](const FileRequest& request) {
    if (request.below == FileRequest::Below::kFilesUrl) {
      return FileOfAnother(slot, order, request, terms);
    }
    const ServerSilence::Time began = clock_.Read().since_boot;
    MetadataFetcher::Terms asking = terms;
    if (!IsForPullSecret(request, slot.id())) asking.credentials = nullptr;
    MetadataFetcher::Answer answer = order.server->fetcher->Fetch(request, asking);
    const ServerSilence::Time ended = clock_.Read().since_boot;
    const Heard heard = order.arrival->heard;
    if (answer.fetched || answer.fetched.error().kind != FetchFailure::Kind::kNetwork ||
        heard == Heard::kAnswer) {
      order.server->silence->NoteAnswer(ended);
    } else {
      order.server->silence->NoteFailure(heard, answer.fetched.error().cause, slot.id(), began,
                                         ended, company_(slot.id()));
    }
    const Heard of_tokens = order.arrival->tokens.exchange(Heard::kNotAsked);
    const CredentialsClass asker = ClassOf(order.credentials);
    if (of_tokens == Heard::kAnswer) {
      order.server->token_silence->NoteAnswer(asker, ended);
    } else if (!answer.fetched) {
      order.server->token_silence->NoteFailure(asker, of_tokens, answer.fetched.error().cause,
                                               slot.id(), began, ended, company_(slot.id()));
    }
    if (answer.server_date && MayTellTheTime(slot)) clock_.ObserveServerDate(*answer.server_date);
    return std::move(answer.fetched);
  };
}

// Whoever has the files may be another host: its silence is no word of the server's, and is waited
// for once in a while only. No pod has credentials for it.
Fetched RefreshRunner::FileOfAnother(const RepositorySlot& slot, const Order& order,
                                     const FileRequest& request, MetadataFetcher::Terms terms) {
  const ServerSilence::Time began = clock_.Read().since_boot;
  terms.credentials = nullptr;
  ServerSilence& silence = *order.server->files_silence;
  const std::optional<NetworkCause> silent = silence.HeldBackBy(began);
  if (silent && !silence.TakeProbe(began, terms.patience)) {
    return tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, *silent});
  }
  const auto arrival = std::make_shared<Arrival>();
  terms.arrival = arrival;
  Fetched fetched = order.server->fetcher->Fetch(request, terms).fetched;
  const ServerSilence::Time ended = clock_.Read().since_boot;
  if (fetched || fetched.error().kind != FetchFailure::Kind::kNetwork ||
      arrival->heard == Heard::kAnswer) {
    silence.NoteAnswer(ended);
  } else {
    silence.NoteFailure(arrival->heard, fetched.error().cause, slot.id(), began, ended,
                        ServerSilence::Company::kAlone);
  }
  return fetched;
}

RefreshRunner::Outcome RefreshRunner::RunFromServer(RepositorySlot& slot, const Order& order) {
  const Limits limits = order.server->limits();
  const TimePoint began = NowOrWall();
  Outcome outcome = Run(slot, limits, FromServer(slot, order, order.cached), order.asked);
  const bool by_a_cache = !outcome && outcome.error().error.reason == Reason::kExpired &&
                          order.cached == Cached::kAllowed;
  if (by_a_cache) {
    outcome = Run(slot, limits, FromServer(slot, order, Cached::kNoCache), order.asked);
  }
  NoteOutcome(slot, order, outcome, began);
  return outcome;
}

void RefreshRunner::NoteOutcome(RepositorySlot& slot, const Order& order, const Outcome& outcome,
                                TimePoint began) {
  const SinceBoot ended = clock_.Read().seconds();
  if (outcome) {
    if (order.asked) slot.NoteNameAnswered(order.key, order.credentials);
    // A refresh for a name may have confirmed all of the set on its way, or nothing but the name.
    const std::optional<RefreshFailure>& of_file = outcome->file_failure;
    const bool is_whole = !order.asked || outcome->set->verified_at() >= began;
    if (is_whole && slot.NoteVerified(order.key, order.credentials, ended, of_file)) {
      journal_.Say(Shown(slot.id(), *of_file));
    }
    if (of_file) {
      journal_.CountFailed(of_file->error.reason);
    } else {
      outcome->changed ? journal_.CountChanged() : journal_.CountUnchanged();
    }
  } else {
    journal_.CountFailed(outcome.error().error.reason);
    // Where no token could be had, another pod's secret may be better.
    const FailureFor whom = order.arrival->heard == Heard::kNotAsked
                                ? FailureFor::kTheseCredentials
                                : WhomItConcerns(outcome.error());
    if (slot.NoteFailed(order.key, outcome.error(), whom, SpeakerOf(order, outcome.error()),
                        ended)) {
      journal_.Say(Shown(slot.id(), outcome.error()));
    }
  }
}

RefreshRunner::Outcome RefreshRunner::Import(RepositorySlot& slot, const std::string& folder) {
  const std::shared_ptr<const ServerSetup> server = setup_()->ServerOf(slot.id());
  return Run(
      slot, server ? server->limits() : Limits{},
      [&](const FileRequest& request) { return ReadFromFolder(folder, request); }, std::nullopt,
      RefreshStart::Ahead::kAll);
}

RefreshRunner::Settled RefreshRunner::Settle(RepositorySlot& slot, RepositorySlot::Ground ground,
                                             const Demands& demands, Outcome& outcome) {
  using Scope = FileStore::Change::Scope;
  if (!outcome && !outcome.error().newer_anchors) return Settled::kDone;
  const std::lock_guard lock(slot.commit_mutex());
  if (slot.ground().serial != ground.serial) {
    if (!outcome || !outcome->onto) return Settled::kOutdated;
    ground = slot.ground();
    // Forgotten meanwhile, with the floors.
    if (!ground.set) return Settled::kOutdated;
    outcome = outcome->onto(ground.set);
  }
  // A set without what the rules read by now would be taken for all that the server has.
  if (!SameDemands(setup_()->DemandsOn(slot.id()), demands)) return Settled::kOutdated;
  if (!outcome) {
    const NewerAnchors& newer = *outcome.error().newer_anchors;
    const Kind& kind = KindOf(slot);
    const FileStore::Change change{
        newer.files, newer.floors, {}, Scope::kAnchors, [&kind](std::string_view stored_as) {
          return kind.IsAnchorFile(stored_as);
        }};
    if (Save(slot, ground, change) == Settled::kOutdated) return Settled::kOutdated;
    slot.Adopt(newer);
    return Settled::kDone;
  }
  // Where only names are asked for, no moment speaks for the whole of a set.
  const bool nothing_new = !outcome->changed && KindOf(slot).asks() == Kind::Asks::kNames;
  if (nothing_new && !slot.lacks_commit()) return Settled::kDone;
  const TrustedSet& set = *outcome->set;
  const TimePoint verified_at = set.verified_at();
  const bool noted = ground.saved_at && *ground.saved_at <= verified_at &&
                     verified_at - *ground.saved_at < kSavedAtPrecision;
  if (outcome->changed || !noted) {
    FileStore::Change change{slot.WithUnsaved(outcome->files), set.floors(), verified_at,
                             Scope::kWhole};
    if (Save(slot, ground, change) == Settled::kOutdated) return Settled::kOutdated;
  }
  NoteFirstUse(slot, ground, *outcome);
  slot.Adopt(*outcome, demands);
  clock_.NoteRefresh(verified_at);
  MarkWithdrawn(slot, set);
  return Settled::kDone;
}

RefreshRunner::Settled RefreshRunner::Save(RepositorySlot& slot,
                                           const RepositorySlot::Ground& ground,
                                           const FileStore::Change& change) {
  const auto saved = store_.Commit(slot.id(), ground.stamp, change);
  if (saved) {
    slot.NoteSaved(*saved, change);
    journal_.NoteState("");
    return Settled::kDone;
  }
  if (saved.error().conflict) return Settled::kOutdated;
  slot.NoteUnsaved(change);
  journal_.NoteState(saved.error().error.detail);
  return Settled::kDone;
}

void RefreshRunner::MarkWithdrawn(RepositorySlot& slot, const TrustedSet& set) {
  const std::shared_ptr<const Records> before = slot.ground().records;
  Records after = before ? set.RecordsAfter(*before) : Records();
  if ((!before || after == *before) && !slot.has_unsaved_records()) return;
  SaveRecords(slot, std::move(after),
              [&](Records records) { return set.RecordsAfter(std::move(records)); });
}

void RefreshRunner::Remember(RepositorySlot& slot, const VerifiedRecord& record) {
  const std::lock_guard lock(slot.commit_mutex());
  const RepositorySlot::Ground ground = slot.ground();
  // A pull is long: what was decided before it may have been withdrawn since.
  if (ground.set && IsWithdrawn(ground.set->RecordsAfter({record}).front())) return;
  const Records known = ground.records ? *ground.records : Records();
  // Where they are full the set makes room: it knows whose each is.
  const auto with = [&](Records records) {
    const bool full = ground.set && records.size() >= Limits{}.records;
    return WithRecord(full ? ground.set->RecordsAfter(std::move(records)) : std::move(records),
                      record);
  };
  Records after = with(known);
  if (after == known) return;
  SaveRecords(slot, std::move(after), with);
}

bool RefreshRunner::LetGo(RepositorySlot& slot, std::size_t bytes, EvidenceHolder::Spares spares) {
  const std::lock_guard lock(slot.commit_mutex());
  if (!slot.ground().loaded && LoadLocked(slot)) return false;
  const RepositorySlot::Ground ground = slot.ground();
  // Of no other set anything can be spared.
  const auto* const holder = dynamic_cast<const EvidenceHolder*>(ground.set.get());
  if (holder == nullptr || ground.unreadable) return false;
  const std::optional<Committed> left = holder->Without(bytes, spares, NowOrWall());
  if (!left) return false;
  const FileStore::Change change{slot.WithUnsaved(left->files), left->set->floors(),
                                 left->set->verified_at(), FileStore::Change::Scope::kWhole};
  const auto saved = store_.Commit(slot.id(), ground.stamp, change);
  if (!saved) {
    // What is not written makes no room: it stays in memory, too.
    if (!saved.error().conflict) journal_.NoteState(saved.error().error.detail);
    return false;
  }
  slot.NoteSaved(*saved, change);
  journal_.NoteState("");
  slot.Adopt(*left, setup_()->DemandsOn(slot.id()));
  journal_.Say("evidence of " + slot.id().name +
               " went: that of all repositories takes as much of the disk as it may");
  return true;
}

Result<void> RefreshRunner::ForgetIn(RepositorySlot& slot, const Forgetting& forget) {
  const std::lock_guard lock(slot.commit_mutex());
  for (int tries = 0; tries < kMaxTries; ++tries) {
    if (!slot.ground().loaded || store_.StampOf(slot.id()) != slot.ground().stamp) {
      if (std::optional<Error> unread = LoadLocked(slot)) return tl::unexpected(*std::move(unread));
    }
    const RepositorySlot::Ground ground = slot.ground();
    if (ground.unreadable) return tl::unexpected(ground.unreadable->error);
    const auto* const holder = dynamic_cast<const EvidenceHolder*>(ground.set.get());
    if (holder == nullptr) {
      return Fail(Reason::kState, "what is known of " + slot.id().name + " is not on the disk yet");
    }
    const std::optional<Committed> left = forget(*holder);
    if (!left) return {};
    const FileStore::Change change{slot.WithUnsaved(left->files), left->set->floors(),
                                   left->set->verified_at(), FileStore::Change::Scope::kWhole};
    // As Save; but whoever forgets has to know that it is done.
    const auto saved = store_.Commit(slot.id(), ground.stamp, change);
    if (saved) {
      slot.NoteSaved(*saved, change);
      slot.Adopt(*left, setup_()->DemandsOn(slot.id()));
      slot.ForgetMisses();
      return {};
    }
    if (!saved.error().conflict) return tl::unexpected(saved.error().error);
  }
  return Fail(Reason::kState, "others that change what is known of it were quicker");
}

Result<std::size_t> RefreshRunner::ForgetRecords(
    RepositorySlot& slot, const std::function<bool(const VerifiedRecord&)>& is_meant) {
  const std::lock_guard lock(slot.commit_mutex());
  if (!slot.ground().loaded) {
    if (std::optional<Error> unread = LoadLocked(slot)) return tl::unexpected(*std::move(unread));
  }
  const RepositorySlot::Ground ground = slot.ground();
  if (ground.unreadable) return tl::unexpected(ground.unreadable->error);
  Records after = ground.records ? *ground.records : Records();
  const std::size_t dropped = std::erase_if(after, is_meant);
  // As SaveRecords; but whoever forgets has to know that it is done.
  const bool whole = slot.has_unsaved_records();
  const Result<Records> written = store_.UpdateRecords(slot.id(), [&](Records stored) {
    if (whole) return after;
    std::erase_if(stored, is_meant);
    return stored;
  });
  if (!written) return tl::unexpected(written.error());
  slot.AdoptRecords(std::move(after), RepositorySlot::Saved::kYes);
  return dropped;
}

void RefreshRunner::SaveRecords(RepositorySlot& slot, Records records,
                                const std::function<Records(Records)>& change) {
  // What could not be written before is not in the store's records: then memory's are right.
  const bool whole = slot.has_unsaved_records();
  const Result<Records> written = store_.UpdateRecords(
      slot.id(), [&](Records stored) { return whole ? records : change(std::move(stored)); });
  if (!written) journal_.NoteState(written.error().detail);
  slot.AdoptRecords(std::move(records),
                    written ? RepositorySlot::Saved::kYes : RepositorySlot::Saved::kNo);
}

void RefreshRunner::NoteFirstUse(const RepositorySlot& slot, const RepositorySlot::Ground& ground,
                                 const Committed& committed) {
  if (ground.set || ground.anchors || !ground.floors.empty() || !committed.on_first_use) return;
  journal_.CountFirstUse();
  journal_.Say("trusted the first root of " + slot.id().name + " that " + slot.id().url +
               " served (tofu)");
}

}  // namespace crivet::trust
