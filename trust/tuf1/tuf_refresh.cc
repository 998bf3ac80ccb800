// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tuf_refresh.h"

#include <algorithm>
#include <utility>

namespace crivet::trust::tuf1 {
namespace {

// Roles that one refresh gets ahead of whoever asks, and that stay in memory and in the store.
constexpr std::size_t kMaxAhead = 256;
constexpr std::size_t kMaxRoles = 4096;
constexpr std::size_t kMaxRoleBytes = std::size_t{256} * 1024 * 1024;

Caps CapsFor(const RefreshStart& start) {
  Caps caps;
  caps.targets_bytes = start.limits.targets_bytes;
  for (const SharedDemand& demand : start.demands) {
    caps.delegations = std::max(caps.delegations, AsTuf(*demand).trust->max_delegations);
  }
  return caps;
}

// The oldest of the roots that the demands pin; null without demands.
const Verified<Root>* FirstOf(const Demands& demands) {
  const Verified<Root>* first = nullptr;
  for (const SharedDemand& demand : demands) {
    const Verified<Root>& root = AsTuf(*demand).trust->root;
    if (first == nullptr || root.content->version() < first->content->version()) first = &root;
  }
  return first;
}

FileRequest RequestOf(const MetadataRequest& wanted) {
  FileRequest request;
  request.path = "/" + wanted.file;
  request.file_names = {wanted.file};
  request.max_bytes = wanted.max_bytes;
  request.sha256 = wanted.sha256;
  return request;
}

RefreshFailure Failure(Reason reason, std::string detail) {
  RefreshFailure failure;
  failure.error = {reason, std::move(detail)};
  return failure;
}

void NoteStored(Holding& holding, const std::vector<StoredFile>& files) {
  for (const StoredFile& file : files) holding.stored.insert_or_assign(file.name, file.sha256);
}

}  // namespace

RolesAhead::RolesAhead(Start start)
    : trusted_(std::move(start.trusted)),
      roles_(std::move(start.roles)),
      now_(start.now),
      caps_(start.caps) {
  Follow(std::string(kTargets));
  GoOn();
}

// What a role delegates to, of the roles that are wanted.
void RolesAhead::Follow(const std::string& role) {
  const auto file = trusted_.roles.find(role);
  if (file == trusted_.roles.end() || !file->second.content->delegations()) return;
  for (const std::string& wanted : roles_) {
    const RoleKeys* const keys = file->second.content->delegations()->KeysOf(wanted);
    if (keys != nullptr) waiting_.push_back({wanted, keys, file->second.sha256});
  }
}

void RolesAhead::GoOn() {
  wanted_.reset();
  while (!waiting_.empty()) {
    const RoleFile& role = waiting_.front();
    if (trusted_.Find(role.role, role.delegator) == nullptr &&
        !AcceptKnown(trusted_, role, caps_)) {
      auto request = RequestFor(trusted_, role.role, caps_);
      if (request) {
        wanted_ = *std::move(request);
        return;
      }
      has_all_ = false;
      waiting_.pop_front();
      continue;
    }
    const std::string had = role.role;
    waiting_.pop_front();
    // One that two delegate to is followed once: they have the same file.
    if (roles_.erase(had) > 0) Follow(had);
  }
}

void RolesAhead::Supply(Fetched answer) {
  if (!wanted_) return;
  const std::size_t most = wanted_->max_bytes;
  const bool away = !answer && answer.error().kind == FetchFailure::Kind::kNetwork;
  if (away) {
    // Nobody waits for a server that is away, once for each role.
    has_all_ = false;
    waiting_.clear();
    wanted_.reset();
    return;
  }
  const bool accepted =
      answer && answer->bytes.size() <= most &&
      Accept(trusted_, waiting_.front(), std::move(answer->bytes), Expiry::kEnforced, now_, caps_);
  if (!accepted) {
    has_all_ = false;
    waiting_.pop_front();
  }
  GoOn();
}

TufRefresh::TufRefresh(RefreshStart start)
    : start_(std::move(start)),
      caps_(CapsFor(start_)),
      before_(std::static_pointer_cast<const Repository>(start_.previous)) {
  const Verified<Root>* const first = FirstOf(start_.demands);
  if (first == nullptr) {
    EndWith(Failure(Reason::kNoTrustData, "no rule reads this repository any more"));
    return;
  }
  if (before_) {
    holding_ = before_->holding();
  } else if (start_.anchors) {
    holding_ = static_cast<const TufAnchors&>(*start_.anchors).holding;
  } else {
    holding_.least = LeastOf(start_.floors);
    holding_.newest.roots = {*first};
  }
  began_with_ = holding_;
  holding_.AnchorAt(*first);
  if (start_.asked) {
    for (const SharedDemand& demand : start_.demands) {
      const TufDemand& wanted = AsTuf(*demand);
      const auto name = wanted.NameOf(start_.asked->reference);
      if (name) sought_.push_back({*name, wanted.signers, wanted.trust->max_delegations});
    }
  }
  const bool covered = holding_.complete && holding_.Uncovered().empty();
  if (start_.asked && covered) {
    BeginSearches();
  } else {
    BeginUpdate();
  }
}

std::optional<FileRequest> TufRefresh::Wanted() const {
  if (outcome_) return std::nullopt;
  if (update_) return RequestOf(*update_->Wanted());
  if (ahead_) return RequestOf(*ahead_->Wanted());
  return RequestOf(*search_->Wanted());
}

void TufRefresh::Supply(Fetched answer) {
  if (outcome_) return;
  if (update_) {
    update_->Supply(std::move(answer));
    if (!update_->Wanted()) EndUpdate();
  } else if (ahead_) {
    ahead_->Supply(std::move(answer));
    if (!ahead_->Wanted()) EndAhead();
  } else {
    search_->Supply(std::move(answer));
    if (!search_->Wanted()) EndSearch();
  }
}

void TufRefresh::BeginUpdate() {
  Update::Start begun = holding_.Begin();
  begun.now = start_.now;
  begun.caps = caps_;
  updated_ = true;
  update_.emplace(std::move(begun));
}

void TufRefresh::EndUpdate() {
  const Update update = *std::move(update_);
  update_.reset();
  if (update.failure()) {
    holding_.Take(update, Holding::Went::kNotThrough);
    return EndWith(*update.failure());
  }
  holding_.Take(update, Holding::Went::kThrough);
  holding_.verified_at = start_.now;
  const bool all = start_.ahead == RefreshStart::Ahead::kAll;
  std::vector<std::string> roles = all ? RolesListed() : RolesHeld();
  roles = holding_.uses->InOrder(std::move(roles));
  if (roles.size() > (all ? kMaxRoles : kMaxAhead)) roles.resize(all ? kMaxRoles : kMaxAhead);
  ahead_.emplace(
      RolesAhead::Start{*holding_.complete, {roles.begin(), roles.end()}, start_.now, caps_});
  if (!ahead_->Wanted()) EndAhead();
}

std::vector<std::string> TufRefresh::RolesHeld() const {
  std::vector<std::string> roles;
  for (const auto& [role, file] : holding_.complete->roles) {
    if (role != kTargets) roles.push_back(role);
  }
  return roles;
}

std::vector<std::string> TufRefresh::RolesListed() const {
  constexpr std::string_view kEnding = ".json";
  std::vector<std::string> roles;
  for (const auto& [file, entry] : holding_.complete->snapshot->content->entries()) {
    if (!file.ends_with(kEnding)) continue;
    std::string role = file.substr(0, file.size() - kEnding.size());
    if (!IsTopLevel(role)) roles.push_back(std::move(role));
  }
  return roles;
}

void TufRefresh::EndAhead() {
  holding_.complete = ahead_->trusted();
  const bool has_all = ahead_->HasAll();
  ahead_.reset();
  if (has_all) {
    holding_.before = nullptr;
  } else if (!holding_.before && before_ && before_->uncovered().empty() &&
             start_.ahead == RefreshStart::Ahead::kInUse) {
    holding_.before = std::make_shared<const Trusted>(before_->complete());
  }
  BeginSearches();
}

void TufRefresh::BeginSearches() {
  searched_ = 0;
  failure_.reset();
  NextSearch();
}

void TufRefresh::NextSearch() {
  while (searched_ < sought_.size()) {
    const Sought& sought = sought_[searched_];
    Caps caps = caps_;
    caps.delegations = sought.max_delegations;
    search_.emplace(
        *holding_.complete,
        Search::Question{.name = sought.name, .now = start_.now, .signers = sought.signers}, caps);
    if (search_->Wanted()) return;
    return EndSearch();
  }
  End();
}

void TufRefresh::EndSearch() {
  holding_.complete = search_->trusted();
  const std::optional<RefreshFailure> failure = search_->failure();
  if (const auto* found = std::get_if<Search::Found>(&search_->outcome())) {
    holding_.uses->Touch(found->asked);
  } else if (const auto* nobody = std::get_if<Search::NotFound>(&search_->outcome())) {
    holding_.uses->Touch(nobody->asked);
  }
  search_.reset();
  if (failure && !failure_) failure_ = failure;
  // The server may have moved on from the snapshot that was committed.
  if (failure && !failure->cause && !updated_) return BeginUpdate();
  ++searched_;
  NextSearch();
}

void TufRefresh::KeepWithinCaps() {
  Trusted& complete = *holding_.complete;
  std::size_t bytes = 0;
  for (const auto& [role, file] : complete.roles) {
    bytes += file.bytes->size() + file.content->resident_bytes();
  }
  std::vector<std::string> roles = RolesHeld();
  if (roles.size() <= kMaxRoles && bytes <= kMaxRoleBytes) return;
  roles = holding_.uses->InOrder(std::move(roles));
  while (!roles.empty() && (roles.size() > kMaxRoles || bytes > kMaxRoleBytes)) {
    const auto file = complete.roles.find(roles.back());
    bytes -= file->second.bytes->size() + file->second.content->resident_bytes();
    complete.roles.erase(file);
    holding_.uses->Forget(roles.back());
    roles.pop_back();
  }
  complete.Prune();
}

Committed TufRefresh::Commit() const {
  Committed committed;
  committed.files = holding_.Files();
  Holding kept = holding_;
  kept.stored.clear();
  NoteStored(kept, committed.files);
  committed.changed = !before_ || kept.stored != began_with_.stored;
  committed.set = std::make_shared<const Repository>(start_.id, std::move(kept));
  if (updated_) return committed;
  // What was had for a name is good on top of every set whose snapshot lists the same files.
  committed.onto = [roles = holding_.complete->roles, accepted = holding_.complete->accepted,
                    id = start_.id](const std::shared_ptr<const TrustedSet>& newer) {
    const auto& below = static_cast<const Repository&>(*newer);
    Holding on_top = below.holding();
    on_top.complete->accepted.insert(accepted.begin(), accepted.end());
    for (const auto& [role, file] : roles) {
      if (role != kTargets) on_top.complete->roles.try_emplace(role, file);
    }
    on_top.complete->HoldAgainstSnapshot();
    on_top.complete->Prune();
    Committed again;
    again.files = on_top.Files();
    on_top.stored.clear();
    NoteStored(on_top, again.files);
    again.changed = true;
    again.set = std::make_shared<const Repository>(id, std::move(on_top));
    return again;
  };
  return committed;
}

void TufRefresh::End() {
  if (failure_) return EndWith(*std::exchange(failure_, std::nullopt));
  KeepWithinCaps();
  outcome_ = Commit();
}

std::optional<NewerAnchors> TufRefresh::NewerThanBefore() const {
  const bool more_roles =
      holding_.complete && began_with_.complete &&
      holding_.complete->accepted.size() > began_with_.complete->accepted.size();
  if (holding_.SameAnchors(began_with_) && !more_roles) return std::nullopt;
  NewerAnchors newer;
  newer.files = holding_.AnchorFiles();
  newer.floors = holding_.FloorsNow();
  Holding kept = holding_;
  std::erase_if(kept.stored, [](const auto& file) { return IsStoredAnchor(file.first); });
  NoteStored(kept, newer.files);
  newer.anchors = std::make_shared<const TufAnchors>(kept);
  if (kept.complete) newer.set = std::make_shared<const Repository>(start_.id, std::move(kept));
  return newer;
}

void TufRefresh::EndWith(RefreshFailure failure) {
  if (!holding_.newest.roots.empty()) failure.newer_anchors = NewerThanBefore();
  outcome_ = tl::unexpected(std::move(failure));
}

StoredRepository::StoredRepository(RefreshStart start)
    : start_(std::move(start)), caps_(CapsFor(start_)) {
  const Verified<Root>* const first = FirstOf(start_.demands);
  if (first == nullptr) {
    step_ = Step::kOver;
    outcome_ =
        tl::unexpected(Failure(Reason::kNoTrustData, "no rule reads this repository any more"));
    return;
  }
  holding_.least = LeastOf(start_.floors);
  holding_.verified_at = start_.verified_at;
  for (const std::string& name : start_.stored) {
    if (RoleStoredAs(name)) roles_.push_back(name);
  }
  // Its numbers are of files that were verified after these, perhaps: they are kept, and bind the
  // next refresh.
  update_.emplace(
      Update::Start{.trusted = {.roots = {*first}}, .expiry = Expiry::kIgnored, .caps = caps_});
  Next();
}

std::optional<FileRequest> StoredRepository::Wanted() const {
  if (outcome_) return std::nullopt;
  FileRequest request;
  request.stored_as = stored_as_;
  request.max_bytes = std::max(caps_.snapshot_bytes, caps_.targets_bytes);
  return request;
}

// Says which file is wanted next, passing over what the store does not have.
void StoredRepository::Next() {
  if (step_ == Step::kUpdate) {
    if (update_->Wanted()) {
      const std::string role(update_->wanted_role());
      stored_as_ = role == kRoot ? StoredRoot(update_->trusted().root().version() + 1) : role;
      return;
    }
    step_ = Step::kTimestampFloor;
    stored_as_ = kNewestTimestamp;
  } else if (step_ == Step::kTimestampFloor) {
    step_ = Step::kSnapshotFloor;
    stored_as_ = kNewestSnapshot;
  } else {
    step_ = Step::kRoles;
    if (next_role_ == roles_.size()) return End();
    stored_as_ = roles_[next_role_++];
  }
}

void StoredRepository::Supply(Fetched answer) {
  if (outcome_) return;
  const Root& root = update_->trusted().root();
  switch (step_) {
    case Step::kUpdate:
      update_->Supply(std::move(answer));
      break;
    case Step::kTimestampFloor:
      if (!answer) break;
      if (auto read = ReadTimestamp(std::move(answer->bytes), root, caps_)) {
        holding_.newest.timestamp = *std::move(read);
      }
      break;
    case Step::kSnapshotFloor:
      if (!answer) break;
      if (auto read = ReadSnapshot(std::move(answer->bytes), root, caps_)) {
        holding_.newest.snapshot = *std::move(read);
      }
      break;
    case Step::kRoles: {
      const auto role = RoleStoredAs(stored_as_);
      if (!answer || !role) break;
      if (auto read = ReadUnverified(std::move(answer->bytes), caps_)) {
        read_.insert_or_assign(*role, *std::move(read));
      }
      break;
    }
    case Step::kOver:
      break;
  }
  Next();
}

void StoredRepository::TakeRoles() {
  Trusted& complete = *holding_.complete;
  std::set<std::string> roles;
  for (auto& [role, file] : read_) {
    complete.roles.insert_or_assign(role, std::move(file));
    roles.insert(role);
  }
  RolesAhead ahead({complete, std::move(roles), start_.now, caps_});
  while (ahead.Wanted()) ahead.Supply(tl::unexpected(FetchFailure{}));
  complete = ahead.trusted();
}

void StoredRepository::End() {
  step_ = Step::kOver;
  const Trusted& verified = update_->trusted();
  holding_.newest.roots = verified.roots;
  if (!holding_.newest.timestamp) holding_.newest.timestamp = verified.timestamp;
  if (!holding_.newest.snapshot) holding_.newest.snapshot = verified.snapshot;
  if (!update_->failure()) {
    holding_.complete = verified;
    TakeRoles();
  }
  NoteStored(holding_, holding_.AnchorFiles());
  if (!holding_.complete) {
    RefreshFailure failure = *update_->failure();
    NewerAnchors newer;
    newer.anchors = std::make_shared<const TufAnchors>(holding_);
    newer.floors = holding_.FloorsNow();
    failure.newer_anchors = std::move(newer);
    outcome_ = tl::unexpected(std::move(failure));
    return;
  }
  holding_.stored.clear();
  Committed committed;
  committed.files = holding_.Files();
  NoteStored(holding_, committed.files);
  committed.set = std::make_shared<const Repository>(start_.id, holding_);
  outcome_ = std::move(committed);
}

}  // namespace crivet::trust::tuf1
