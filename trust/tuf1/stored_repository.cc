// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/stored_repository.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "trust/tuf1/refresh_begin.h"

namespace crivet::trust::tuf1 {
namespace {

// The newest file is that of the complete set, most of the time: it is not verified twice.
template <typename T>
bool SameBytes(const std::optional<Verified<T>>& known, const FetchedFile& file) {
  return known && *known->bytes == file.bytes;
}

std::int64_t OldestStored(const std::vector<std::string>& stored) {
  std::optional<std::int64_t> oldest;
  for (const std::string& name : stored) {
    const auto version = StoredRootVersion(name);
    if (version && (!oldest || *version < *oldest)) oldest = version;
  }
  return oldest.value_or(1);
}

}  // namespace

StoredRepository::StoredRepository(RefreshStart start)
    : start_(std::move(start)), caps_(CapsFor(start_)) {
  const RootPins pins = PinsOf(start_.demands);
  if (pins.empty()) {
    step_ = Step::kOver;
    outcome_ = tl::unexpected(NobodyReads());
    return;
  }
  holding_.least = LeastOf(start_.floors);
  holding_.verified_at = start_.verified_at;
  // Its numbers are of files that were verified after these, perhaps: they are kept, and bind the
  // next refresh.
  Update::Start begun{
      .trusted = {.roots = {}}, .expiry = Expiry::kIgnored, .caps = caps_, .pins = pins};
  // What is stored began where a pin matched once.
  if (const Verified<Root>* const file = OldestFile(pins)) {
    begun.trusted.roots = {*file};
  } else {
    begun.first_root = OldestStored(start_.stored);
  }
  update_.emplace(std::move(begun));
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
      stored_as_ = role == kRoot ? StoredRoot(update_->wanted_root()) : role;
      return;
    }
    step_ = Step::kTimestampFloor;
    stored_as_ = kNewestTimestamp;
  } else if (step_ == Step::kTimestampFloor) {
    step_ = Step::kSnapshotFloor;
    stored_as_ = kNewestSnapshot;
  } else {
    if (step_ == Step::kSnapshotFloor) BeginRoles();
    if (roles_ && roles_->Wanted()) {
      stored_as_ = *StoredRole(roles_->wanted_role());
      return;
    }
    if (step_ == Step::kRoles) BeginFiles();
    if (stored_files_.empty()) return End();
    stored_as_ = stored_files_.back();
  }
}

void StoredRepository::Supply(Fetched answer) {
  if (outcome_) return;
  const Trusted& verified = update_->trusted();
  switch (step_) {
    case Step::kUpdate:
      update_->Supply(std::move(answer));
      break;
    case Step::kTimestampFloor:
      if (!answer || verified.roots.empty() || SameBytes(verified.timestamp, *answer)) break;
      if (auto read = ReadTimestamp(std::move(answer->bytes), verified.root(), caps_)) {
        holding_.newest.timestamp = *std::move(read);
      }
      break;
    case Step::kSnapshotFloor:
      if (!answer || verified.roots.empty() || SameBytes(verified.snapshot, *answer)) break;
      if (auto read = ReadSnapshot(std::move(answer->bytes), verified.root(), caps_)) {
        holding_.newest.snapshot = *std::move(read);
      }
      break;
    case Step::kRoles:
      roles_->Supply(std::move(answer));
      break;
    case Step::kFiles:
      stored_files_.pop_back();
      if (answer) SupplyFile(std::move(answer->bytes));
      break;
    case Step::kOver:
      break;
  }
  Next();
}

void StoredRepository::SupplyFile(std::string content) {
  auto bytes = std::make_shared<const std::string>(std::move(content));
  const Sha256 sha256 = Sha256Of(*bytes);
  PublishedFile file{std::move(bytes), sha256, {}};
  if (const auto earlier = EarlierTargetStoredAs(stored_as_)) {
    file.until = earlier->until;
    earlier_files_.insert_or_assign(earlier->name, EarlierFile{std::move(file), earlier->root});
  } else if (const auto target = TargetStoredAs(stored_as_)) {
    files_.insert_or_assign(*target, std::move(file));
  }
}

void StoredRepository::BeginRoles() {
  step_ = Step::kRoles;
  if (update_->failure()) return;
  std::set<std::string> stored;
  for (const std::string& name : start_.stored) {
    if (auto role = RoleStoredAs(name); role && StoredRole(*role)) stored.insert(*std::move(role));
  }
  roles_.emplace(RolesAhead::Start{.trusted = update_->trusted(),
                                   .roles = std::move(stored),
                                   .now = start_.now,
                                   .caps = caps_,
                                   .expiry = Expiry::kIgnored});
}

void StoredRepository::BeginFiles() {
  step_ = Step::kFiles;
  if (!roles_) return;
  for (const std::string& name : start_.stored) {
    if (TargetStoredAs(name) || EarlierTargetStoredAs(name)) stored_files_.push_back(name);
  }
}

// Of what the store has under their names: what is still listed, and wanted, else what was kept in
// its place. The rest is had anew.
void StoredRepository::TakeFiles() {
  Trusted& complete = *holding_.complete;
  for (const TargetFile& wanted : FilesOf(start_.demands)) {
    TargetFiles files({.trusted = complete,
                       .wanted = {wanted},
                       .held = files_,
                       .now = start_.now,
                       .expiry = Expiry::kIgnored,
                       .caps = caps_});
    if (files.Wanted() || files.failure()) {
      const auto earlier = earlier_files_.find(wanted.name);
      const bool is_one = earlier != earlier_files_.end() &&
                          (!wanted.check || wanted.check(*earlier->second.file.bytes));
      if (is_one) holding_.earlier_files.insert(*earlier);
      continue;
    }
    complete = files.trusted();
    holding_.target_files.insert(files.files().begin(), files.files().end());
  }
}

void StoredRepository::End() {
  step_ = Step::kOver;
  const Trusted& verified = update_->trusted();
  holding_.newest.roots = verified.roots;
  if (!holding_.newest.timestamp) holding_.newest.timestamp = verified.timestamp;
  if (!holding_.newest.snapshot) holding_.newest.snapshot = verified.snapshot;
  if (roles_) {
    holding_.complete = roles_->trusted();
    TakeFiles();
  }
  holding_.NoteAllStored();
  if (!holding_.complete) {
    RefreshFailure failure = *update_->failure();
    if (!holding_.newest.roots.empty()) {
      NewerAnchors newer;
      newer.anchors = std::make_shared<const TufAnchors>(holding_);
      newer.floors = holding_.FloorsNow();
      failure.newer_anchors = std::move(newer);
    }
    outcome_ = tl::unexpected(std::move(failure));
    return;
  }
  Committed committed;
  committed.set = std::make_shared<const Repository>(start_.id, holding_);
  outcome_ = std::move(committed);
}

}  // namespace crivet::trust::tuf1
