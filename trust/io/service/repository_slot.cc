// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: all of it is state under one lock.
#include "trust/io/service/repository_slot.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxRefused = 64;
constexpr SinceBoot kRefusalRemembered{30};
constexpr std::chrono::seconds kNextSecretComesWithin{1};
// About what one takes, with the keys that it names.
constexpr std::size_t kRecordBytes = 512;
constexpr std::size_t kMissBytes = 1024;

// A floor that was raised while nothing could be written is not lowered by what another process
// wrote meanwhile.
Floors Higher(Floors a, const Floors& b) {
  for (const auto& [role, floor] : b) {
    const auto [at, added] = a.try_emplace(role, floor);
    if (!added && at->second.version < floor.version) at->second = floor;
  }
  return a;
}

bool SameToPeople(const RefreshFailure& a, const RefreshFailure& b) {
  const bool same_why = a.why && b.why ? SameToPeople(*a.why, *b.why) : a.why == b.why;
  return a.error.reason == b.error.reason && a.at == b.at && a.cause == b.cause &&
         a.not_found == b.not_found && same_why;
}

bool RefusedCredentials(const RefreshFailure& failure) {
  if (failure.why) return LacksCredentials(*failure.why);
  return failure.cause == NetworkCause::kCredentialsRefused;
}

}  // namespace

FailureFor WhomItConcerns(const RefreshFailure& failure) {
  return RefusedCredentials(failure) || failure.not_found ? FailureFor::kTheseCredentials
                                                          : FailureFor::kEverybody;
}

RepositorySlot::RepositorySlot(CollectionId id, std::string_view machine_id, SinceBoot known_since,
                               std::shared_ptr<std::atomic<std::size_t>> memory)
    : id_(std::move(id)), phase_(machine_id, id_), memory_(std::move(memory)) {
  history_.known_since = known_since;
}

RepositorySlot::~RepositorySlot() { *memory_ -= resident_bytes_; }

// Under the lock.
void RepositorySlot::Recount() {
  std::size_t bytes = 0;
  if (view_.set) bytes += view_.set->resident_bytes();
  if (view_.records) bytes += view_.records->size() * kRecordBytes;
  for (const auto& [name, file] : unsaved_) bytes += file.bytes ? file.bytes->size() : 0;
  bytes += misses_.size() * kMissBytes;
  *memory_ += bytes - resident_bytes_;
  resident_bytes_ = bytes;
}

// Under the lock.
bool RepositorySlot::HasUnsaved() const {
  return !unsaved_.empty() || records_unsaved_ || floors_unsaved_;
}

RepositorySlot::Seen RepositorySlot::See(const FlightKey& asker, SinceBoot now) const {
  const std::lock_guard lock(mutex_);
  Seen seen{loaded_, view_, verified_, MayRefresh({asker.trust, asker.credentials}, now)};
  seen.may_ask = !asker.name.empty() && MayRefresh(asker, now);
  const auto refused = refused_.find(asker.credentials);
  if (refused != refused_.end()) seen.view.failure = refused->second.failure;
  if (auto missed = misses_.Of(asker, now)) seen.view.failure = std::move(missed);
  return seen;
}

// Under the lock.
bool RepositorySlot::MayRefresh(const FlightKey& key, SinceBoot now) const {
  const auto refused = refused_.find(key.credentials);
  if (refused != refused_.end() && now - refused->second.at < kRefusalRemembered) return false;
  if (!key.name.empty()) return misses_.Of(key, now) == nullptr;
  return history_is_refusal_ || now >= EarliestOnDemand(history_);
}

void RepositorySlot::NoteDecision(SinceBoot now) {
  const std::lock_guard lock(mutex_);
  history_.last_decision = now;
}

RepositorySlot::Wait RepositorySlot::AwaitLoad(Then then) {
  const std::lock_guard lock(mutex_);
  if (loaded_) return Wait::kNot;
  const bool begins = !loading_;
  if (begins) loading_.emplace();
  loading_->push_back(std::move(then));
  return begins ? Wait::kBegin : Wait::kJoined;
}

void RepositorySlot::EndLoad() {
  std::optional<std::vector<Then>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(loading_);
  }
  if (!waiting) return;
  for (const Then& then : *waiting) then();
}

RepositorySlot::Wait RepositorySlot::AwaitFlight(const Wish& wish, Landed then) {
  const std::lock_guard lock(mutex_);
  const auto flight = flights_.find(wish.key);
  if (flight != flights_.end()) {
    const bool late = wish.now - flight->second.began > wish.patience;
    if (late && !flight->second.arrival->flows) return Wait::kNot;
    flight->second.waiting.push_back(std::move(then));
    return Wait::kJoined;
  }
  // One may have ended since the caller looked.
  const bool allowed = MayRefresh(wish.key, wish.since_boot);
  if (wish.insistence == Insistence::kNone && !allowed) return Wait::kNot;
  flights_[wish.key] = Flight{wish.now, {std::move(then)}, wish.arrival};
  return Wait::kBegin;
}

void RepositorySlot::EndFlight(const FlightKey& key, const Brought& brought) {
  std::vector<Landed> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto flight = flights_.find(key);
    if (flight == flights_.end()) return;
    waiting = std::move(flight->second.waiting);
    flights_.erase(flight);
  }
  for (const Landed& then : waiting) then(brought);
}

// Under the lock.
const RepositorySlot::InVain* RepositorySlot::InVainBefore(
    const std::string& name, std::chrono::steady_clock::time_point now) const {
  const auto before = in_vain_.find(name);
  const bool follows =
      before != in_vain_.end() && now - before->second.ended <= kNextSecretComesWithin;
  return follows ? &before->second : nullptr;
}

std::chrono::milliseconds RepositorySlot::PatienceLeft(std::chrono::milliseconds timeout,
                                                       std::chrono::steady_clock::time_point now,
                                                       const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const InVain* const before = InVainBefore(name, now);
  if (before == nullptr) return timeout;
  const auto waited = std::chrono::ceil<std::chrono::milliseconds>(now - before->began);
  return std::clamp(timeout - waited, std::chrono::milliseconds{0}, timeout);
}

void RepositorySlot::NoteWaitInVain(std::chrono::steady_clock::time_point began,
                                    std::chrono::steady_clock::time_point ended,
                                    const std::string& name) {
  const std::lock_guard lock(mutex_);
  const InVain* const before = InVainBefore(name, began);
  const InVain whole =
      before ? InVain{before->began, std::max(before->ended, ended)} : InVain{began, ended};
  std::erase_if(in_vain_, [&](const auto& other) {
    return ended - other.second.ended > kNextSecretComesWithin;
  });
  in_vain_.insert_or_assign(name, whole);
}

bool RepositorySlot::HasFlight(const FlightKey& key) const {
  const std::lock_guard lock(mutex_);
  return flights_.contains(key);
}

RepositorySlot::Ground RepositorySlot::ground() const {
  const std::lock_guard lock(mutex_);
  return {.set = view_.set,
          .records = view_.records,
          .floors = KnownFloors(),
          .anchors = anchors_,
          .stamp = stamp_,
          .serial = serial_,
          .loaded = loaded_,
          .unreadable = unreadable_,
          .saved_at = saved_at_,
          .last_outcome = history_.outcome};
}

// Under the lock.
Floors RepositorySlot::KnownFloors() const {
  return floors_.empty() && view_.set ? view_.set->floors() : floors_;
}

// Under the lock, with the set in its place.
void RepositorySlot::KeepFloors(Floors floors) {
  if (view_.set && view_.set->floors() == floors) floors.clear();
  floors_ = std::move(floors);
}

// Under the lock. What follows from another set being trusted.
void RepositorySlot::NoteSet() {
  ++serial_;
  history_.expires.reset();
  if (view_.set) history_.expires = view_.set->Expires(demands_);
  Recount();
}

void RepositorySlot::Adopt(FromStore loaded) {
  const std::lock_guard lock(mutex_);
  const bool had_unsaved = !unsaved_.empty() || floors_unsaved_;
  const Floors floors_in_store = loaded.floors;
  Floors floors =
      had_unsaved ? Higher(std::move(loaded.floors), KnownFloors()) : std::move(loaded.floors);
  unsaved_.clear();
  lacks_commit_ = false;
  floors_unsaved_ = had_unsaved && floors_unsaved_ && floors != floors_in_store;
  anchors_ = std::move(loaded.anchors);
  if (had_unsaved && loaded.set && loaded.set->floors() != floors) {
    // Newer was seen here and could not be written. A refresh that goes on from this older set
    // would go by its floors.
    anchors_ = loaded.set->anchors();
    loaded.set = nullptr;
  }
  stamp_ = loaded.stamp;
  saved_at_ = loaded.saved_at;
  demands_ = std::move(loaded.demands);
  view_.set = std::move(loaded.set);
  KeepFloors(std::move(floors));
  if (!records_unsaved_) {
    view_.records = std::make_shared<const Records>(std::move(loaded.records));
  }
  view_.failure =
      loaded.failure ? std::make_shared<const RefreshFailure>(*std::move(loaded.failure)) : nullptr;
  const bool unreadable = view_.failure && view_.failure->error.reason == Reason::kState;
  unreadable_ = unreadable ? view_.failure : nullptr;
  loaded_ = true;
  NoteSet();
}

bool RepositorySlot::KeepUnread(const Demands& demands) {
  const std::lock_guard lock(mutex_);
  if (!view_.set) return false;
  demands_ = demands;
  loaded_ = true;
  return true;
}

void RepositorySlot::Adopt(const Committed& committed, Demands demands) {
  const std::lock_guard lock(mutex_);
  view_.set = committed.set;
  view_.failure = nullptr;
  floors_.clear();
  anchors_ = nullptr;
  demands_ = std::move(demands);
  NoteSet();
}

void RepositorySlot::Adopt(const NewerAnchors& newer) {
  const std::lock_guard lock(mutex_);
  view_.set = newer.set;
  KeepFloors(newer.floors);
  anchors_ = newer.anchors;
  NoteSet();
}

void RepositorySlot::AdoptRecords(Records records, Saved saved) {
  const std::lock_guard lock(mutex_);
  view_.records = std::make_shared<const Records>(std::move(records));
  records_unsaved_ = saved == Saved::kNo;
  Recount();
}

bool RepositorySlot::has_unsaved_records() const {
  const std::lock_guard lock(mutex_);
  return records_unsaved_;
}

std::vector<StoredFile> RepositorySlot::WithUnsaved(std::vector<StoredFile> files) const {
  const std::lock_guard lock(mutex_);
  for (StoredFile& file : files) {
    const auto unsaved = unsaved_.find(file.name);
    if (!file.bytes && unsaved != unsaved_.end() && unsaved->second.sha256 == file.sha256) {
      file.bytes = unsaved->second.bytes;
    }
  }
  return files;
}

void RepositorySlot::NoteSaved(FileStore::Stamp stamp, const FileStore::Change& change) {
  const std::lock_guard lock(mutex_);
  stamp_ = stamp;
  if (change.scope == FileStore::Change::Scope::kAnchors) return;
  saved_at_ = change.verified_at;
  unsaved_.clear();
  floors_unsaved_ = false;
  lacks_commit_ = false;
  Recount();
}

void RepositorySlot::NoteUnsaved(const FileStore::Change& change) {
  const std::lock_guard lock(mutex_);
  for (const StoredFile& file : change.files) {
    if (file.bytes) unsaved_.insert_or_assign(file.name, file);
  }
  saved_at_.reset();
  lacks_commit_ = true;
  Recount();
}

bool RepositorySlot::lacks_commit() const {
  const std::lock_guard lock(mutex_);
  return lacks_commit_;
}

bool RepositorySlot::NoteVerified(const FlightKey& key, const SharedCredentials& credentials,
                                  SinceBoot at, const std::optional<RefreshFailure>& of_file) {
  using Outcome = RefreshHistory::Outcome;
  const std::lock_guard lock(mutex_);
  view_.failure = nullptr;
  // Who lacks the file must not wait for it as long as for news, and has not to ask on each pull.
  history_.Note(of_file ? Outcome::kFailed : Outcome::kVerified, at);
  history_is_refusal_ = false;
  verified_ = at;
  refused_.erase(key.credentials);
  if (credentials) kept_.insert_or_assign(key.trust, PullSecret(id_.name, credentials));
  const bool news = of_file && (!last_failure_ || !SameToPeople(*last_failure_, *of_file));
  last_failure_ = of_file ? std::make_unique<const RefreshFailure>(*of_file) : nullptr;
  failures_in_a_row_ = of_file ? failures_in_a_row_ + 1 : 0;
  no_credentials_ = false;
  return news;
}

void RepositorySlot::NoteNameAnswered(const FlightKey& key, const SharedCredentials& credentials) {
  const std::lock_guard lock(mutex_);
  misses_.Drop(key);
  refused_.erase(key.credentials);
  if (credentials) kept_.insert_or_assign(key.trust, PullSecret(id_.name, credentials));
  last_name_failure_.reset();
  no_credentials_ = false;
  Recount();
}

// Under the lock.
void RepositorySlot::NoteRefused(const CredentialsClass& credentials,
                                 std::shared_ptr<const RefreshFailure> failure, SinceBoot at) {
  if (!refused_.contains(credentials) && refused_.size() >= kMaxRefused) {
    refused_.erase(std::min_element(refused_.begin(), refused_.end(),
                                    [](auto& a, auto& b) { return a.second.at < b.second.at; }));
  }
  refused_.insert_or_assign(credentials, Refused{std::move(failure), at});
}

// Under the lock. A name that nobody signed, or that does not exist, says nothing of the
// repository; credentials that it refuses, and why it cannot be had, do.
bool RepositorySlot::NoteNameFailed(const FlightKey& key, RefreshFailure failure, SinceBoot at) {
  const auto shared = std::make_shared<const RefreshFailure>(failure);
  if (RefusedCredentials(failure)) {
    NoteRefused(key.credentials, shared, at);
    const auto kept = kept_.find(key.trust);
    if (kept != kept_.end() && ClassOf(kept->second) == key.credentials) {
      kept_.erase(kept);
      no_credentials_ = kept_.empty();
    }
  } else {
    misses_.Note(key, shared, at);
    Recount();
  }
  if (AnswerFor(failure.error.reason) == Answer::kDeny) return false;
  const bool news = !last_name_failure_ || !SameToPeople(*last_name_failure_, failure);
  last_name_failure_ = std::make_unique<const RefreshFailure>(std::move(failure));
  return news;
}

bool RepositorySlot::NoteFailed(const FlightKey& key, RefreshFailure failure, FailureFor whom,
                                Asker asker, SinceBoot at) {
  using Outcome = RefreshHistory::Outcome;
  const auto shared = std::make_shared<const RefreshFailure>(failure);
  const bool for_credentials = whom == FailureFor::kTheseCredentials;
  const std::lock_guard lock(mutex_);
  if (!key.name.empty()) return NoteNameFailed(key, std::move(failure), at);
  if (!for_credentials) view_.failure = shared;
  if (for_credentials) {
    const auto before = refused_.find(key.credentials);
    const bool known = before != refused_.end() && SameToPeople(*before->second.failure, failure);
    NoteRefused(key.credentials, shared, at);
    const auto kept = kept_.find(key.trust);
    const bool were_kept = kept != kept_.end() && ClassOf(kept->second) == key.credentials;
    if (RefusedCredentials(failure)) {
      if (were_kept) kept_.erase(kept);
      if (kept_.empty() && (were_kept || asker == Asker::kBackground || !verified_)) {
        no_credentials_ = true;
      }
    }
    // Somebody's wrong secret says nothing about the repository.
    if (asker == Asker::kPull && !were_kept) return !known;
  }
  history_.Note(
      failure.error.reason == Reason::kExpired ? Outcome::kStillExpired : Outcome::kFailed, at);
  history_is_refusal_ = for_credentials;
  const bool news = !last_failure_ || !SameToPeople(*last_failure_, failure);
  last_failure_ = std::make_unique<const RefreshFailure>(std::move(failure));
  ++failures_in_a_row_;
  return news;
}

void RepositorySlot::TakeDemands(const Demands& demands) {
  const std::lock_guard lock(mutex_);
  if (SameDemands(demands, demands_)) return;
  // What nobody signed for the old demands, somebody may have signed for these.
  misses_.Clear();
  Recount();
  if (!loaded_) return;
  // Loading again judges what is stored by the new demands. What could not be stored stays: each
  // decision asks for its own rule.
  if (!HasUnsaved()) loaded_ = false;
}

void RepositorySlot::Unload() {
  const std::lock_guard lock(mutex_);
  if (!HasUnsaved()) loaded_ = false;
}

void RepositorySlot::Forget() {
  const std::lock_guard lock(mutex_);
  view_ = TrustView{};
  floors_.clear();
  anchors_ = nullptr;
  stamp_.reset();
  saved_at_.reset();
  unsaved_.clear();
  records_unsaved_ = false;
  floors_unsaved_ = false;
  lacks_commit_ = false;
  Recount();
  unreadable_ = nullptr;
  ++serial_;
  loaded_ = false;
  const SinceBoot known_since = history_.known_since;
  history_ = RefreshHistory{};
  history_.known_since = known_since;
  history_is_refusal_ = false;
  verified_.reset();
  refused_.clear();
  misses_.Clear();
  last_failure_.reset();
  last_name_failure_.reset();
  failures_in_a_row_ = 0;
}

void RepositorySlot::ForgetMisses() {
  const std::lock_guard lock(mutex_);
  misses_.Clear();
  Recount();
}

bool RepositorySlot::InUse() const {
  const std::lock_guard lock(mutex_);
  return view_.set || !floors_.empty() || anchors_;
}

bool RepositorySlot::IsStranger() const {
  const std::lock_guard lock(mutex_);
  const bool busy = loading_ || !flights_.empty();
  const bool knows = view_.set && view_.set->resident_bytes() > 0;
  return !busy && !knows && KnownFloors().empty() && !anchors_;
}

std::size_t RepositorySlot::resident_bytes() const {
  const std::lock_guard lock(mutex_);
  return resident_bytes_;
}

bool RepositorySlot::CanLeave() const {
  const std::lock_guard lock(mutex_);
  return !loading_ && flights_.empty() && !HasUnsaved();
}

void RepositorySlot::ShrinkToFloors() {
  const std::lock_guard lock(mutex_);
  if (loading_ || !flights_.empty() || !view_.set) return;
  anchors_ = view_.set->anchors();
  floors_ = view_.set->floors();
  view_.set = nullptr;
  unsaved_.clear();
  floors_unsaved_ = true;
  NoteSet();
}

SinceBoot RepositorySlot::last_decision() const {
  const std::lock_guard lock(mutex_);
  return history_.last_decision.value_or(history_.known_since);
}

DueRefresh RepositorySlot::Due(const Moment& moment, std::chrono::seconds interval) const {
  const std::lock_guard lock(mutex_);
  return NextRefresh(history_, phase_, interval, moment.wall, moment.seconds());
}

PullSecret RepositorySlot::Kept(const std::string& trust) const {
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.find(trust);
  return kept == kept_.end() ? PullSecret() : kept->second;
}

RepositoryStatus RepositorySlot::Status(const Moment& moment, std::chrono::seconds interval) const {
  const SinceBoot due = Due(moment, interval).at;
  const std::lock_guard lock(mutex_);
  RepositoryStatus status;
  status.id = id_;
  if (view_.set) {
    status.set = view_.set->Status(demands_, moment.wall);
    status.verified_at = view_.set->verified_at();
    status.resident_bytes = view_.set->resident_bytes();
  }
  status.next_refresh = moment.wall + (due - moment.seconds());
  if (last_failure_) status.last_failure = *last_failure_;
  status.failures_in_a_row = failures_in_a_row_;
  status.no_credentials = no_credentials_;
  if (view_.records) {
    status.records = static_cast<std::size_t>(
        std::count_if(view_.records->begin(), view_.records->end(),
                      [](const VerifiedRecord& record) { return !IsWithdrawn(record); }));
  }
  return status;
}

}  // namespace crivet::trust
