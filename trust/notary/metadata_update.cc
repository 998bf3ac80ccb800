// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/metadata_update.h"

#include <algorithm>
#include <utility>

#include "trust/signed/envelope.h"
#include "trust/signed/signature_threshold.h"
#include "trust/tuf/age.h"
#include "trust/tuf/within.h"

namespace crivet::trust {
namespace {

// `targets`, the roles to read, and every role between: sorted, so that a parent comes before its
// children.
std::set<RoleName> WithParents(const std::vector<RoleName>& roles) {
  std::set<RoleName> all{RoleName::Targets()};
  for (const RoleName& role : roles) {
    if (!role.IsDelegation()) continue;
    for (std::optional<RoleName> at = role; at; at = at->parent()) all.insert(*at);
  }
  return all;
}

}  // namespace

MetadataUpdate::MetadataUpdate(Start start)
    : start_(std::move(start)),
      floors_(previous() ? previous()->floors() : start_.floors),
      roles_wanted_(WithParents(start_.roles)) {
  // Pins are asked on every refresh: one that was taken out takes its chain with it.
  chain_ = Anchored(previous() ? previous()->chain : start_.chain, start_.pins, start_.now);
  const bool current =
      !chain_.empty() && (start_.source == Source::kStore ||
                          CheckCurrent(chain_.back(), start_.id.name, start_.now).has_value());
  if (current && APinWantsOlderRoots()) {
    BeginOlderRoots();
  } else if (current) {
    BeginCycle();
  } else {
    BeginRoots(std::nullopt, std::nullopt);
  }
}

void MetadataUpdate::Supply(Fetched answer) {
  if (roots_) {
    roots_->Supply(std::move(answer));
    if (!roots_->Wanted()) EndRoots();
    return;
  }
  if (!wanted_) return;
  const MetadataRequest request = *std::exchange(wanted_, std::nullopt);
  answer = Within(request, std::move(answer));
  if (!answer) {
    RefreshFailure failed = FailureOf(answer.error(), request, role_.text());
    failed.not_found =
        step_ == Step::kTimestamp && answer.error().kind == FetchFailure::Kind::kNotFound;
    return End(std::move(failed));
  }
  switch (step_) {
    case Step::kTimestamp:
      return OnTimestamp(std::move(answer->bytes));
    case Step::kSnapshot:
      return OnSnapshot(std::move(answer->bytes));
    case Step::kTargets:
      return OnTargets(std::move(answer->bytes));
  }
}

void MetadataUpdate::BeginRoots(std::optional<FileEntry> newest,
                                std::optional<RefreshFailure> otherwise) {
  (newest ? listed_root_asked_ : newest_root_asked_) = true;
  otherwise_ = std::move(otherwise);
  const auto floor = floors_.find(RoleName::Root().text());
  RootWalk::Start walk{.name = start_.id.name,
                       .chain = chain_,
                       .pins = start_.pins,
                       .newest = newest,
                       .now = start_.now,
                       .limits = start_.limits};
  if (floor != floors_.end()) walk.floor = floor->second;
  if (start_.source == Source::kStore) walk.back = RootWalk::Start::Back::kAsFarAsThereAre;
  roots_.emplace(std::move(walk));
}

void MetadataUpdate::BeginOlderRoots() {
  roots_.emplace(RootWalk::Start{.name = start_.id.name,
                                 .chain = chain_,
                                 .pins = start_.pins,
                                 .back = RootWalk::Start::Back::kBeforeTheChain,
                                 .now = start_.now,
                                 .limits = start_.limits});
}

void MetadataUpdate::EndRoots() {
  RootWalk::Outcome found = std::move(*roots_).Finish();
  roots_.reset();
  if (!found) {
    // Where the roots cannot be had, the bad signature that made them wanted says more.
    const bool only_unavailable = AnswerFor(found.error().error.reason) == Answer::kUnavailable;
    return End(otherwise_ && only_unavailable ? *otherwise_ : std::move(found.error()));
  }
  if (start_.source == Source::kServer) {
    // Checked before they count as trusted: a newest root that has run out vouches for nothing, and
    // takes nothing away.
    const auto current = CheckCurrent(found->chain.back(), start_.id.name, start_.now);
    if (!current) return End(RoleName::Root(), current.error());
  }
  const bool newer = chain_.empty() || found->chain.back().sha256 != chain_.back().sha256;
  chain_ = std::move(found->chain);
  // What a store does not have may still be served.
  searched_ =
      start_.source == Source::kServer && (searched_ || found->older == RootWalk::Older::kSearched);
  for (const RootLink& link : chain_) {
    const auto file = found->files.find(link.root->version());
    if (file == found->files.end()) continue;
    read_.Keep(ReadFiles::NameOfRoot(file->first), link.sha256, std::move(file->second));
  }
  if (!newer && otherwise_) return End(*otherwise_);
  BeginCycle();
}

void MetadataUpdate::BeginCycle() {
  roles_.clear();
  Want(Step::kTimestamp, RoleName::Timestamp(), start_.limits.timestamp_bytes, nullptr);
}

void MetadataUpdate::OnTimestamp(std::string bytes) {
  const Sha256 sha256 = Sha256Of(bytes);
  if (IsUnchanged(sha256)) return CommitUnchanged();
  const FileEntry listed{bytes.size(), sha256, std::nullopt};
  const auto parse = [&](const Envelope& envelope) {
    return Timestamp::Parse(envelope.content(), start_.limits);
  };
  if (Accept(RoleName::Timestamp(), root().KeysOf(RoleName::Timestamp()), listed, std::move(bytes),
             parse, timestamp_)) {
    ReadSnapshot();
  }
}

void MetadataUpdate::ReadSnapshot() {
  const RoleName role = RoleName::Snapshot();
  const AuthorizedKeys& authorized = root().KeysOf(role);
  const FileEntry& listed = timestamp_.metadata->snapshot();
  // One read before the roots brought this cycle about is as good as the previous set's.
  const VerifiedFile<Snapshot> read_before = snapshot_;
  if (!Reuse(&read_before, listed, authorized, snapshot_) &&
      !Reuse(previous() ? &previous()->snapshot : nullptr, listed, authorized, snapshot_)) {
    return Want(Step::kSnapshot, role, start_.limits.snapshot_bytes, &listed);
  }
  const auto age = CheckAge(role, authorized, snapshot_);
  if (!age) return End(role, age.error());
  CheckRootListed();
}

void MetadataUpdate::OnSnapshot(std::string bytes) {
  const auto parse = [&](const Envelope& envelope) {
    return Snapshot::Parse(envelope.content(), start_.limits);
  };
  if (Accept(RoleName::Snapshot(), root().KeysOf(RoleName::Snapshot()),
             timestamp_.metadata->snapshot(), std::move(bytes), parse, snapshot_)) {
    CheckRootListed();
  }
}

void MetadataUpdate::CheckRootListed() {
  const FileEntry& listed = *snapshot_.metadata->Find(RoleName::Root());
  const bool is_newest = listed.sha256 == chain_.back().sha256;
  // What was stored may be a set and, from a refresh that failed later, a newer root.
  const bool is_stored = start_.source == Source::kStore &&
                         std::any_of(chain_.begin(), chain_.end(), [&](const RootLink& link) {
                           return link.sha256 == listed.sha256;
                         });
  if (is_newest || is_stored) {
    next_role_ = roles_wanted_.begin();
    return ReadRoles();
  }
  if (!listed_root_asked_) return BeginRoots(listed, std::nullopt);
  End(RoleName::Root(),
      {Reason::kHash, VersionOf(RoleName::Snapshot(), snapshot_.metadata->version()) +
                          " lists another root than " +
                          VersionOf(RoleName::Root(), root().version()) +
                          ", the newest that verifies"});
}

void MetadataUpdate::ReadRoles() {
  for (; next_role_ != roles_wanted_.end(); ++next_role_) {
    const RoleName& role = *next_role_;
    const AuthorizedKeys* const authorized = AuthorizedFor(role);
    // A role exists if its verified parent delegates it, whatever the snapshot lists.
    if (authorized == nullptr) continue;
    const FileEntry* const listed = snapshot_.metadata->Find(role);
    if (listed == nullptr) {
      // Delegated and not signed yet; but what this node has seen does not become unsigned again.
      const auto seen = floors_.find(role.text());
      if (seen == floors_.end()) continue;
      return End(role, {Reason::kRollback,
                        VersionOf(RoleName::Snapshot(), snapshot_.metadata->version()) +
                            " no longer lists " + VersionOf(role, seen->second.version)});
    }
    const VerifiedFile<Targets>* known = nullptr;
    if (previous()) {
      const auto at = previous()->roles.find(role);
      if (at != previous()->roles.end()) known = &at->second;
    }
    VerifiedFile<Targets> file;
    if (!Reuse(known, *listed, *authorized, file)) {
      return Want(Step::kTargets, role, start_.limits.targets_bytes, listed);
    }
    const auto age = CheckAge(role, *authorized, file);
    if (!age) return End(role, age.error());
    roles_.emplace(role, std::move(file));
  }
  Commit();
}

void MetadataUpdate::OnTargets(std::string bytes) {
  const RoleName role = role_;
  const FileEntry& listed = *snapshot_.metadata->Find(role);
  const auto parse = [&](const Envelope& envelope) {
    return Targets::Parse(envelope.content(), role, listed.sha256, start_.limits);
  };
  VerifiedFile<Targets> file;
  if (!Accept(role, *AuthorizedFor(role), listed, std::move(bytes), parse, file)) {
    return;
  }
  roles_.emplace(role, std::move(file));
  ++next_role_;
  ReadRoles();
}

template <typename T, typename ParseContent>
bool MetadataUpdate::Accept(const RoleName& role, const AuthorizedKeys& authorized,
                            const FileEntry& listed, std::string bytes, ParseContent parse,
                            VerifiedFile<T>& out) {
  const auto fail = [&](const Error& error) {
    RefreshFailure failed;
    failed.at = role.text();
    failed.error = {error.reason, role.text() + ": " + error.detail};
    const bool signature = error.reason == Reason::kSignature || error.reason == Reason::kThreshold;
    // A base role's keys may have been rotated: the roots would tell
    // (trust/notary/FORMAT.md#the-update-of-notarys-client).
    if (signature && !role.IsDelegation() && !newest_root_asked_) {
      BeginRoots(std::nullopt, std::move(failed));
    } else {
      End(std::move(failed));
    }
    return false;
  };
  const auto matches = listed.Check(bytes);
  if (!matches) return fail(matches.error());
  const auto envelope = Envelope::Parse(bytes, bytes.size(), start_.limits);
  if (!envelope) return fail(envelope.error());
  auto signers = VerifySignatures(*envelope, authorized);
  if (!signers) return fail(signers.error());
  auto content = parse(*envelope);
  if (!content) return fail(content.error());

  VerifiedFile<T> file{std::make_shared<const T>(*std::move(content)), listed,
                       envelope->signed_bytes().sha256(), *std::move(signers)};
  const auto age = CheckAge(role, authorized, file);
  if (!age) {
    End(role, age.error());
    return false;
  }
  out = std::move(file);
  read_.Keep(role.text(), listed.sha256, std::move(bytes));
  return true;
}

template <typename T>
bool MetadataUpdate::Reuse(const VerifiedFile<T>* known, const FileEntry& listed,
                           const AuthorizedKeys& authorized, VerifiedFile<T>& out) const {
  if (known == nullptr || !known->metadata || known->listed != listed) return false;
  // The parent may have given the role other keys, paths or another threshold since. Where the
  // signatures known to be good do not suffice, the file is read again.
  if (!authorized.Covers(known->signers)) return false;
  out = {known->metadata, known->listed, known->signed_sha256,
         SignersOf(authorized, known->signers)};
  return true;
}

template <typename T>
Result<void> MetadataUpdate::CheckAge(const RoleName& role, const AuthorizedKeys& authorized,
                                      const VerifiedFile<T>& file) const {
  const auto floor = floors_.find(role.text());
  if (floor != floors_.end() && Binds(floor->second, authorized)) {
    auto checked = CheckFloor(role, floor->second, file.metadata->version(), file.signed_sha256);
    if (!checked) return checked;
  }
  return CheckExpiry(role, *file.metadata);
}

const AuthorizedKeys* MetadataUpdate::AuthorizedFor(const RoleName& role) const {
  const auto parent = role.parent();
  if (!parent) return &root().KeysOf(role);
  const auto delegator = roles_.find(*parent);
  if (delegator == roles_.end()) return nullptr;
  const Delegation* const delegation = delegator->second.metadata->FindDelegation(role);
  return delegation == nullptr ? nullptr : &delegation->keys;
}

void MetadataUpdate::Want(Step step, const RoleName& role, std::size_t limit,
                          const FileEntry* listed) {
  step_ = step;
  role_ = role;
  MetadataRequest request{role.text() + ".json", limit, std::nullopt};
  if (listed != nullptr) {
    request.file = role.text() + "." + ToHex(listed->sha256) + ".json";
    request.max_bytes = std::min(limit, listed->length);
    request.sha256 = listed->sha256;
  }
  wanted_ = std::move(request);
}

void MetadataUpdate::End(const RoleName& role, const Error& error) {
  RefreshFailure failure;
  failure.at = role.text();
  failure.error = error;
  End(std::move(failure));
}

void MetadataUpdate::End(RefreshFailure failure) {
  wanted_.reset();
  failure.newer_anchors = RootsToReport();
  outcome_ = tl::unexpected(std::move(failure));
}

}  // namespace crivet::trust
