// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/root_walk.h"

#include <algorithm>
#include <utility>

#include "trust/base/quoted.h"
#include "trust/tuf/age.h"
#include "trust/tuf/metadata.h"
#include "trust/tuf/within.h"

namespace crivet::trust {
namespace {

std::string Number(std::int64_t version) { return std::to_string(version); }

}  // namespace

RefreshFailure FailureOf(const FetchFailure& failure, const MetadataRequest& request,
                         std::string_view role) {
  RefreshFailure failed;
  failed.at = Quoted(role);
  failed.why = failure.why;
  switch (failure.kind) {
    case FetchFailure::Kind::kNotFound:
      failed.error = {Reason::kNoTrustData, request.sha256
                                                ? failed.at + " is listed but cannot be had"
                                                : "there is no " + failed.at};
      break;
    case FetchFailure::Kind::kNetwork:
      failed.error = {Reason::kUnreachable,
                      failed.at + " cannot be had (" + std::string(WordOf(failure.cause)) + ")"};
      failed.cause = failure.cause;
      break;
    case FetchFailure::Kind::kTooLarge:
      failed.error = {request.sha256 ? Reason::kHash : Reason::kMalformed,
                      failed.at + " is larger than it may be"};
      break;
  }
  return failed;
}

RootWalk::RootWalk(Start start) : start_(std::move(start)) {
  if (start_.back == Start::Back::kBeforeTheChain) {
    Want(Step::kOldest, Number(start_.chain.front().root->version()) + ".root.json");
  } else if (start_.newest) {
    Want(Step::kNewest, "root." + ToHex(start_.newest->sha256) + ".json");
    wanted_->max_bytes = std::min(wanted_->max_bytes, start_.newest->length);
    wanted_->sha256 = start_.newest->sha256;
  } else {
    Want(Step::kNewest, "root.json");
  }
}

void RootWalk::Supply(Fetched answer) {
  if (!wanted_) return;
  answer = Within(*wanted_, std::move(answer));
  switch (step_) {
    case Step::kNewest:
      return OnNewest(std::move(answer));
    case Step::kForward:
      return OnForward(std::move(answer));
    case Step::kOldest:
      return OnOldest(std::move(answer));
    case Step::kBackward:
      return OnBackward(std::move(answer));
  }
}

void RootWalk::OnNewest(Fetched answer) {
  if (!answer) {
    RefreshFailure failed = FailureOf(answer.error(), *wanted_, "root");
    failed.not_found = start_.chain.empty() && !start_.newest &&
                       answer.error().kind == FetchFailure::Kind::kNotFound;
    return End(std::move(failed));
  }
  if (start_.newest) {
    const auto listed = start_.newest->Check(answer->bytes);
    if (!listed) return End(listed.error().reason, "root: " + listed.error().detail);
  }
  auto read = RootFile::Read(std::move(answer->bytes), start_.name, start_.limits);
  if (!read) return End(read.error().reason, read.error().detail);
  newest_ = *std::move(read);
  const std::int64_t version = newest_->version();
  // The newest root ever verified counts for good: no key could have taken itself away backwards.
  if (start_.floor) {
    const auto checked =
        CheckFloor(RoleName::Root(), *start_.floor, version, newest_->link().signed_sha256);
    if (!checked) return End(checked.error().reason, checked.error().detail);
  }
  if (start_.chain.empty()) {
    links_.push_back(*std::move(newest_));
    return WalkBackward();
  }
  const RootLink& trusted = start_.chain.back();
  const Floor reached{trusted.root->version(), trusted.signed_sha256, {}};
  const auto checked =
      CheckFloor(RoleName::Root(), reached, version, newest_->link().signed_sha256);
  if (!checked) return End(checked.error().reason, checked.error().detail);
  if (version == reached.version) return EndAtTrusted();
  if (version - reached.version > static_cast<std::int64_t>(start_.limits.root_steps)) {
    return End(Reason::kUntrustedRoot, "root version " + Number(version) +
                                           " is too far from the trusted version " +
                                           Number(reached.version));
  }
  WalkForward();
}

// Nothing newer. But the trusted file may have come in a layout of somebody on the wire: the one
// that the snapshot lists takes its place, with its own signatures.
void RootWalk::EndAtTrusted() {
  Found found{start_.chain, {}};
  if (!start_.newest || newest_->link().sha256 == found.chain.back().sha256) {
    return End(std::move(found));
  }
  found.chain.pop_back();
  if (!found.chain.empty()) {
    const auto follows = newest_->CheckFollows(found.chain.back(), start_.name);
    if (!follows) return End(follows.error().reason, follows.error().detail);
  }
  found.chain.push_back(newest_->link());
  found.chain = Anchored(std::move(found.chain), start_.pins, start_.now);
  if (found.chain.empty()) return EndUnanchored(newest_->version());
  found.files.emplace(newest_->version(), newest_->bytes());
  End(std::move(found));
}

void RootWalk::WalkForward() {
  const RootLink& last = links_.empty() ? start_.chain.back() : links_.back().link();
  const std::int64_t next = last.root->version() + 1;
  if (next < newest_->version()) return Want(Step::kForward, Number(next) + ".root.json");

  const auto follows = newest_->CheckFollows(last, start_.name);
  if (!follows) return End(follows.error().reason, follows.error().detail);
  links_.push_back(*std::move(newest_));
  Found found{start_.chain, {}};
  for (const RootFile& file : links_) {
    found.chain.push_back(file.link());
    found.files.emplace(file.version(), file.bytes());
  }
  End(std::move(found));
}

void RootWalk::OnForward(Fetched answer) {
  if (!answer) return End(FailureOf(answer.error(), *wanted_, "root"));
  auto link = RootFile::Read(std::move(answer->bytes), start_.name, start_.limits);
  if (!link) return End(link.error().reason, link.error().detail);
  const auto follows =
      link->CheckFollows(links_.empty() ? start_.chain.back() : links_.back().link(), start_.name);
  if (!follows) return End(follows.error().reason, follows.error().detail);
  links_.push_back(*std::move(link));
  WalkForward();
}

void RootWalk::WalkBackward() {
  while (true) {
    const RootFile& oldest = links_.front();
    const bool far_enough = start_.back != Start::Back::kAsFarAsThereAre && EveryPinMatches();
    if (far_enough || oldest.version() == 1 || links_.size() > start_.limits.root_steps) {
      return EndBackward(Older::kSearched);
    }
    const std::int64_t before = oldest.version() - 1;
    auto configured = ConfiguredRoot(before);
    if (!configured) return Want(Step::kBackward, Number(before) + ".root.json");
    if (!Prepend(*std::move(configured))) return EndBackward(Older::kSearched);
  }
}

// Every pin gets its chance, not only the first that fits: rules that read one repository may be
// pinned to different links, and each is judged by its own pin.
bool RootWalk::EveryPinMatches() const {
  return std::all_of(start_.pins.begin(), start_.pins.end(), [&](const RootPin& pin) {
    return MatchChain(pin, start_.chain, start_.now) || pin.tofu ||
           std::any_of(links_.begin(), links_.end(),
                       [&](const RootFile& file) { return Matches(pin, file.link(), start_.now); });
  });
}

std::optional<RootFile> RootWalk::ConfiguredRoot(std::int64_t version) const {
  for (const RootPin& pin : start_.pins) {
    if (pin.root_file.empty()) continue;
    auto file = RootFile::Read(pin.root_file, start_.name, start_.limits);
    if (file && file->version() == version) return *std::move(file);
  }
  return std::nullopt;
}

bool RootWalk::Prepend(RootFile older) {
  if (!links_.front().CheckFollows(older.link(), start_.name)) return false;
  links_.push_front(std::move(older));
  return true;
}

// The chain has what the oldest link says, but not the signatures that its predecessor is told by.
void RootWalk::OnOldest(Fetched answer) {
  if (!answer) return EndBackward(answer.error());
  auto oldest = RootFile::Read(std::move(answer->bytes), start_.name, start_.limits);
  if (!oldest || oldest->link().signed_sha256 != start_.chain.front().signed_sha256) {
    return EndBackward(Older::kNotSearched);
  }
  links_.push_back(*std::move(oldest));
  WalkBackward();
}

void RootWalk::OnBackward(Fetched answer) {
  if (!answer) return EndBackward(answer.error());
  // A root that is no link ends the walk like one that is not there: what counts is whether an
  // anchor was found before.
  auto older = RootFile::Read(std::move(answer->bytes), start_.name, start_.limits);
  if (!older || !Prepend(*std::move(older))) return EndBackward(Older::kNotSearched);
  WalkBackward();
}

void RootWalk::EndBackward(const FetchFailure& failure) {
  if (failure.kind == FetchFailure::Kind::kNetwork) {
    EndBackward(Older::kNotSearched, failure);
  } else {
    const bool none = failure.kind == FetchFailure::Kind::kNotFound;
    EndBackward(none ? Older::kSearched : Older::kNotSearched);
  }
}

void RootWalk::EndBackward(Older older, const std::optional<FetchFailure>& away) {
  Found found;
  found.older = older;
  // The trusted chain begins with its own oldest link, not with the copy that was read again.
  if (!start_.chain.empty() && !links_.empty()) links_.pop_back();
  for (const RootFile& file : links_) found.chain.push_back(file.link());
  found.chain.insert(found.chain.end(), start_.chain.begin(), start_.chain.end());
  found.chain = Anchored(std::move(found.chain), start_.pins, start_.now);
  if (!found.chain.empty()) {
    for (const RootFile& file : links_) {
      if (file.version() >= found.chain.front().root->version()) {
        found.files.emplace(file.version(), file.bytes());
      }
    }
    return End(std::move(found));
  }
  if (away) return End(FailureOf(*away, *wanted_, "root"));
  EndUnanchored(links_.back().version());
}

void RootWalk::EndUnanchored(std::int64_t newest) {
  End(Reason::kUntrustedRoot,
      "no pin matches root version " + Number(newest) + " or an older root that leads to it");
}

void RootWalk::Want(Step step, std::string file) {
  step_ = step;
  wanted_ = MetadataRequest{std::move(file), start_.limits.root_bytes, std::nullopt};
}

void RootWalk::End(Reason reason, std::string detail) {
  RefreshFailure failure;
  failure.error = {reason, std::move(detail)};
  failure.at = "root";
  End(std::move(failure));
}

void RootWalk::End(RefreshFailure failure) {
  wanted_.reset();
  outcome_ = tl::unexpected(std::move(failure));
}

void RootWalk::End(Found found) {
  wanted_.reset();
  outcome_ = std::move(found);
}

}  // namespace crivet::trust
