// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/update.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "trust/base/quoted.h"
#include "trust/tuf/expiry.h"
#include "trust/tuf/root_walk.h"
#include "trust/tuf/within.h"

namespace crivet::trust::tuf1 {
namespace {

std::string_view NameOf(std::uint8_t step) {
  constexpr std::string_view kNames[] = {kRoot, kRoot, kTimestamp, kSnapshot, kTargets};
  return kNames[step];
}

// Stores that hide what is not there answer 403 where others answer 404.
bool IsAbsent(const FetchFailure& failure) {
  return failure.kind == FetchFailure::Kind::kNotFound ||
         (failure.kind == FetchFailure::Kind::kNetwork &&
          failure.cause == NetworkCause::kCredentialsRefused &&
          (!failure.why ||
           (failure.why->status == 403 && failure.why->asked == FetchCause::Asked::kServer)));
}

}  // namespace

Update::Update(Start start)
    : trusted_(std::move(start.trusted)),
      least_(std::move(start.least)),
      now_(start.now),
      expiry_(start.expiry),
      caps_(start.caps),
      pins_(std::move(start.pins)),
      next_root_(start.first_root) {
  if (trusted_.roots.empty()) {
    Want(Step::kFirstRoot, {FileNameOf(kRoot, next_root_), caps_.root_bytes, {}});
  } else {
    WantNextRoot();
  }
}

std::string_view Update::wanted_role() const { return NameOf(static_cast<std::uint8_t>(step_)); }

void Update::Want(Step step, MetadataRequest request) {
  step_ = step;
  wanted_ = std::move(request);
}

void Update::End(std::string_view role, Error error) {
  wanted_.reset();
  RefreshFailure failure;
  failure.error = std::move(error);
  failure.at = role;
  failure_ = std::move(failure);
}

void Update::Supply(Fetched answer) {
  if (!wanted_) return;
  answer = Within(*wanted_, std::move(answer));
  if (!answer) {
    if (step_ == Step::kNextRoot && IsAbsent(answer.error())) return EndRoots();
    failure_ = FailureOf(answer.error(), *wanted_, wanted_role());
    const bool first_contact = step_ == Step::kNewTimestamp && !trusted_.timestamp;
    failure_->not_found = (first_contact || step_ == Step::kFirstRoot) &&
                          answer.error().kind == FetchFailure::Kind::kNotFound;
    wanted_.reset();
    return;
  }
  switch (step_) {
    case Step::kFirstRoot:
      return OnFirstRoot(std::move(answer->bytes));
    case Step::kNextRoot:
      return OnRoot(std::move(answer->bytes));
    case Step::kNewTimestamp:
      return OnTimestamp(std::move(answer->bytes));
    case Step::kNewSnapshot:
      return OnSnapshot(std::move(answer->bytes));
    case Step::kNewTargets:
      return OnTargets(std::move(answer->bytes));
  }
}

Result<void> Update::CheckExpiry(std::string_view role, std::int64_t version,
                                 TimePoint expires) const {
  if (expiry_ == Expiry::kIgnored) return {};
  return CheckTime(role, version, expires, now_);
}

// 5.3.3
void Update::WantNextRoot() {
  const Root& last = unpinned_ ? *unpinned_->content : trusted_.root();
  next_root_ = last.version() + 1;
  Want(Step::kNextRoot, {FileNameOf(kRoot, next_root_), caps_.root_bytes, {}});
}

void Update::OnFirstRoot(std::string bytes) {
  auto root = ReadFirstRoot(std::move(bytes), caps_);
  if (!root) return End(kRoot, root.error());
  if (root->content->version() != next_root_) {
    return End(kRoot,
               {Reason::kRollback, "root: the file of version " + std::to_string(next_root_) +
                                       " has version " + std::to_string(root->content->version())});
  }
  Take(*std::move(root));
}

// A root that is pinned is trusted whatever came before it, and what came before it is not.
void Update::Take(Verified<Root> root) {
  const bool pinned =
      !trusted_.roots.empty() || std::any_of(pins_.begin(), pins_.end(), [&](const RootPin& pin) {
        return pin.tofu || Matches(pin, root);
      });
  if (pinned) {
    unpinned_.reset();
    trusted_.roots.push_back(std::move(root));
  } else {
    unpinned_ = std::move(root);
  }
  if (++links_ >= caps_.root_links) {
    return End(kRoot, {Reason::kMalformed, "root: more than " + std::to_string(caps_.root_links) +
                                               " new versions at once"});
  }
  WantNextRoot();
}

// 5.3.4 to 5.3.9
void Update::OnRoot(std::string bytes) {
  const Verified<Root>& last = unpinned_ ? *unpinned_ : trusted_.roots.back();
  auto root = ReadNextRoot(std::move(bytes), last, caps_);
  if (!root) return End(kRoot, root.error());
  Take(*std::move(root));
}

// 5.3.10 and 5.3.11: with the key of a role goes what it signed, so that a publisher gets out of
// versions that a thief of the key has driven up.
void Update::EndRoots() {
  if (trusted_.roots.empty()) {
    return End(kRoot, {Reason::kUntrustedRoot, "root: none up to version " +
                                                   std::to_string(unpinned_->content->version()) +
                                                   " is signed by a key that is pinned"});
  }
  const Root& root = trusted_.root();
  if (trusted_.timestamp && !root.KeysOf(kTimestamp).StillBinds(trusted_.timestamp->signers)) {
    trusted_.timestamp.reset();
  }
  if (trusted_.snapshot && !root.KeysOf(kSnapshot).StillBinds(trusted_.snapshot->signers)) {
    trusted_.snapshot.reset();
  }
  if (root.version() < least_.root) {
    return End(kRoot,
               {Reason::kRollback, "root: there is none after version " +
                                       std::to_string(root.version()) + ", and version " +
                                       std::to_string(least_.root) + " was verified before"});
  }
  if (!root.KeysOf(kTimestamp).StillBinds(least_.signers)) {
    least_.timestamp = 0;
    least_.snapshot = 0;
  }
  const auto time = CheckExpiry(kRoot, root.version(), root.expires());
  if (!time) return End(kRoot, time.error());
  Want(Step::kNewTimestamp, {FileNameOf(kTimestamp, std::nullopt), caps_.timestamp_bytes, {}});
}

// 5.4.3
Result<void> Update::CheckFloors(const Timestamp& timestamp) const {
  std::int64_t least = least_.timestamp;
  std::int64_t least_snapshot = least_.snapshot;
  if (trusted_.timestamp) {
    least = std::max(least, trusted_.timestamp->content->version());
    least_snapshot = std::max(least_snapshot, trusted_.timestamp->content->snapshot().version);
  }
  if (timestamp.version() < least) {
    return Fail(Reason::kRollback, "version " + std::to_string(timestamp.version()) +
                                       " is older than version " + std::to_string(least) +
                                       ", which was verified before");
  }
  if (timestamp.snapshot().version < least_snapshot) {
    return Fail(Reason::kRollback, "it lists snapshot version " +
                                       std::to_string(timestamp.snapshot().version) +
                                       ", older than version " + std::to_string(least_snapshot));
  }
  return {};
}

// 5.4
Result<void> Update::ReadTimestamp(std::string bytes) {
  auto read = tuf1::ReadTimestamp(std::move(bytes), trusted_.root(), caps_);
  if (!read) return tl::unexpected(read.error());
  const std::shared_ptr<const Timestamp> timestamp = read->content;
  // What has changed under the same version is not even looked at; unless the known one is what is
  // left where newer files were lost.
  const Timestamp* const known = trusted_.timestamp ? trusted_.timestamp->content.get() : nullptr;
  if (known != nullptr && timestamp->version() == known->version()) return CheckFloors(*known);
  if (auto floors = CheckFloors(*timestamp); !floors) return floors;
  auto time = CheckExpiry(kTimestamp, timestamp->version(), timestamp->expires());
  if (!time) return time;
  trusted_.timestamp = *std::move(read);
  return {};
}

void Update::OnTimestamp(std::string bytes) {
  if (const auto read = ReadTimestamp(std::move(bytes)); !read) {
    return End(kTimestamp, Of(kTimestamp, read.error()));
  }
  const Timestamp& timestamp = *trusted_.timestamp->content;
  auto time = CheckExpiry(kTimestamp, timestamp.version(), timestamp.expires());
  if (!time) return End(kTimestamp, time.error());
  TakeSnapshot();
}

// 5.5.1. A snapshot that was verified before and is the listed one is not asked for again.
void Update::TakeSnapshot() {
  const MetaEntry& listed = trusted_.timestamp->content->snapshot();
  if (trusted_.snapshot && trusted_.snapshot->content->version() == listed.version &&
      listed.Check(*trusted_.snapshot->bytes) &&
      CheckExpiry(kSnapshot, listed.version, trusted_.snapshot->content->expires())) {
    return TakeTargets();
  }
  const bool versioned = trusted_.root().consistent_snapshot();
  Want(Step::kNewSnapshot,
       {FileNameOf(kSnapshot, versioned ? std::optional(listed.version) : std::nullopt),
        std::min(caps_.snapshot_bytes, listed.length.value_or(caps_.snapshot_bytes)),
        {}});
}

// 5.5.2 to 5.5.6
Result<void> Update::ReadSnapshot(std::string bytes) {
  const MetaEntry& listed = trusted_.timestamp->content->snapshot();
  if (auto fits = listed.Check(bytes); !fits) return fits;
  auto read = tuf1::ReadSnapshot(std::move(bytes), trusted_.root(), caps_);
  if (!read) return tl::unexpected(read.error());
  const std::shared_ptr<const Snapshot> snapshot = read->content;
  if (snapshot->version() != listed.version) {
    return Fail(Reason::kRollback, "the timestamp lists version " + std::to_string(listed.version) +
                                       ", and the file has " + std::to_string(snapshot->version()));
  }
  if (trusted_.snapshot) {
    // Nothing may go back, and nothing may vanish, while the key is the same.
    for (const auto& [name, known] : trusted_.snapshot->content->entries()) {
      const auto entry = snapshot->entries().find(name);
      if (entry == snapshot->entries().end()) {
        return Fail(Reason::kRollback, Quoted(name) + " is no longer listed");
      }
      if (entry->second.version < known.version) {
        return Fail(Reason::kRollback,
                    Quoted(name) + " version " + std::to_string(entry->second.version) +
                        " is older than version " + std::to_string(known.version) +
                        ", which was listed before");
      }
    }
  }
  auto time = CheckExpiry(kSnapshot, snapshot->version(), snapshot->expires());
  if (!time) return time;
  trusted_.snapshot = *std::move(read);
  trusted_.HoldAgainstSnapshot();
  return {};
}

void Update::OnSnapshot(std::string bytes) {
  if (const auto read = ReadSnapshot(std::move(bytes)); !read) {
    return End(kSnapshot, Of(kSnapshot, read.error()));
  }
  TakeTargets();
}

RoleFile Update::TopTargets() const {
  return {std::string(kTargets), &trusted_.root().KeysOf(kTargets), trusted_.roots.back().sha256};
}

// 5.6.1
void Update::TakeTargets() {
  const Targets* known = trusted_.Find(kTargets, trusted_.roots.back().sha256);
  if (known == nullptr && AcceptKnown(trusted_, TopTargets(), caps_)) {
    known = trusted_.roles.find(kTargets)->second.content.get();
  }
  if (known != nullptr && CheckExpiry(kTargets, known->version(), known->expires())) {
    trusted_.Prune();
    wanted_.reset();
    return;
  }
  auto request = RequestFor(trusted_, std::string(kTargets), caps_);
  if (!request) return End(kTargets, request.error());
  Want(Step::kNewTargets, *std::move(request));
}

void Update::OnTargets(std::string bytes) {
  const auto accepted = Accept(trusted_, TopTargets(), std::move(bytes), expiry_, now_, caps_);
  if (!accepted) return End(kTargets, accepted.error());
  trusted_.Prune();
  wanted_.reset();
}

}  // namespace crivet::trust::tuf1
