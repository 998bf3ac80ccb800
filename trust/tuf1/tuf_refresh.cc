// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tuf_refresh.h"

#include <algorithm>
#include <utility>

#include "trust/tuf1/refresh_begin.h"

namespace crivet::trust::tuf1 {
namespace {

// Roles that one refresh gets ahead of whoever asks, and that stay in memory and in the store.
constexpr std::size_t kMaxAhead = 256;
constexpr std::size_t kMaxBytesAhead = std::size_t{64} * 1024 * 1024;
constexpr std::size_t kMaxRoles = 4096;
constexpr std::size_t kMaxRoleBytes = std::size_t{256} * 1024 * 1024;

FileRequest RequestOf(const MetadataRequest& wanted) {
  FileRequest request;
  request.path = "/" + wanted.file;
  request.file_names = {wanted.file};
  request.max_bytes = wanted.max_bytes;
  request.sha256 = wanted.sha256;
  return request;
}

}  // namespace

TufRefresh::TufRefresh(RefreshStart start)
    : start_(std::move(start)),
      caps_(CapsFor(start_)),
      before_(std::static_pointer_cast<const Repository>(start_.previous)) {
  pins_ = PinsOf(start_.demands);
  if (pins_.empty()) {
    EndWith(NobodyReads());
    return;
  }
  if (before_) {
    holding_ = before_->holding();
  } else if (start_.anchors) {
    holding_ = static_cast<const TufAnchors&>(*start_.anchors).holding;
  } else {
    holding_.least = LeastOf(start_.floors);
    holding_.AnchorAt(pins_);
  }
  began_with_ = holding_;
  holding_.AnchorAt(pins_);
  if (start_.asked) {
    for (const SharedDemand& demand : start_.demands) {
      const TufDemand& wanted = AsTuf(*demand);
      if (wanted.file) continue;
      const ImageReference& reference = start_.asked->reference;
      const bool by_digest = reference.digest() && !reference.tag();
      sought_.push_back({wanted.NameOf(reference).value_or(""),
                         by_digest ? wanted.NameOfTag(reference, "") : "", wanted.signers,
                         wanted.trust->max_delegations});
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
  if (files_) return files_->Wanted();
  if (update_) return RequestOf(*update_->Wanted());
  if (ahead_) return RequestOf(*ahead_->Wanted());
  return RequestOf(*search_->Wanted());
}

void TufRefresh::Supply(Fetched answer) {
  if (outcome_) return;
  if (files_) {
    files_->Supply(std::move(answer));
    if (!files_->Wanted()) EndFiles();
  } else if (update_) {
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
  begun.pins = pins_;
  updated_ = true;
  update_.emplace(std::move(begun));
}

void TufRefresh::EndUpdate() {
  if (update_->failure()) {
    holding_.Take(*update_, Holding::Went::kNotThrough);
    return EndWith(*update_->failure());
  }
  TargetFilesHeld held = holding_.target_files;
  for (const auto& [name, earlier] : holding_.earlier_files) held.emplace(name, earlier.file);
  TargetFiles::Start begun{.trusted = update_->trusted(),
                           .wanted = FilesOf(start_.demands),
                           .held = std::move(held),
                           .now = start_.now,
                           .caps = caps_};
  files_.emplace(std::move(begun));
  if (!files_->Wanted()) EndFiles();
}

// Of what could not be had the file before, as long as what vouched for it goes. A newer root acts
// at once on that too.
EarlierFiles TufRefresh::EarlierThan(const Update& update, const TargetFiles& files) const {
  EarlierFiles kept;
  Holding before = holding_;
  before.Take(update, Holding::Went::kNotThrough);
  const bool is_covered = before.complete && before.Uncovered().empty();
  for (const TargetFile& wanted : FilesOf(start_.demands)) {
    if (files.files().contains(wanted.name)) continue;
    const auto listed = holding_.target_files.find(wanted.name);
    const auto earlier = holding_.earlier_files.find(wanted.name);
    if (listed != holding_.target_files.end()) {
      EarlierFile file{listed->second, before.newest.root().version()};
      if (!is_covered) file.file.until = TimePoint{};
      kept.emplace(wanted.name, std::move(file));
    } else if (earlier != holding_.earlier_files.end()) {
      kept.insert(*earlier);
    }
  }
  return kept;
}

// Whoever is delegated a file holds up nobody else's names: the set counts without it.
void TufRefresh::EndFiles() {
  const TargetFiles files = *std::move(files_);
  files_.reset();
  const Update update = *std::move(update_);
  update_.reset();
  holding_.earlier_files = files.failure() ? EarlierThan(update, files) : EarlierFiles();
  file_failure_ = files.failure();
  if (file_failure_) file_failure_->error.detail += "; all else of this refresh counts";
  holding_.Take(update, Holding::Went::kThrough);
  holding_.complete = files.trusted();
  holding_.target_files = files.files();
  holding_.verified_at = start_.now;
  const bool all = start_.ahead == RefreshStart::Ahead::kAll;
  std::vector<std::string> roles = all ? RolesListed() : RolesHeld();
  roles = holding_.uses->InOrder(std::move(roles));
  if (roles.size() > (all ? kMaxRoles : kMaxAhead)) roles.resize(all ? kMaxRoles : kMaxAhead);
  RolesAhead::Start ahead{*holding_.complete, {roles.begin(), roles.end()}, start_.now, caps_};
  if (!all) ahead.most_bytes = kMaxBytesAhead;
  ahead_.emplace(std::move(ahead));
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
        Search::Question{.name = sought.name, .now = start_.now, .signers = sought.signers},
        sought.tags_of, caps);
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

Committed TufRefresh::Commit() const {
  Committed committed;
  committed.files = holding_.Files();
  Holding kept = holding_;
  kept.stored.clear();
  NoteStored(kept, committed.files);
  committed.on_first_use = IsOnFirstUse();
  committed.file_failure = file_failure_;
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
  holding_.KeepWithin(kMaxRoles, kMaxRoleBytes);
  outcome_ = Commit();
}

bool TufRefresh::IsOnFirstUse() const {
  return std::none_of(pins_.begin(), pins_.end(), [&](const RootPin& pin) {
    return !pin.tofu && MatchChain(pin, holding_.newest.roots);
  });
}

std::optional<NewerAnchors> TufRefresh::NewerThanBefore() const {
  const bool more_roles =
      holding_.complete && began_with_.complete &&
      holding_.complete->accepted.size() > began_with_.complete->accepted.size();
  if (holding_.SameAnchors(began_with_) && !more_roles) return std::nullopt;
  // Nothing is kept of a first contact that did not verify whole where whoever was met is trusted.
  if (began_with_.newest.roots.empty() && IsOnFirstUse()) return std::nullopt;
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

}  // namespace crivet::trust::tuf1
