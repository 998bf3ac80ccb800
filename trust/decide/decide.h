// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "trust/decide/record.h"
#include "trust/decide/trusted_set.h"
#include "trust/decide/verdict.h"

namespace crivet::trust {

/// TrustView is what is known of one collection when a decision is made.
struct TrustView {
  /// The last complete set; null where there is none.
  std::shared_ptr<const TrustedSet> set;
  std::shared_ptr<const Records> records;
  /// The latest refresh, where it failed: the reason to give when there is no usable set.
  std::shared_ptr<const RefreshFailure> failure;
  /// What a refresh begun for this very question found.
  std::shared_ptr<const NameAnswer> answer = nullptr;
  /// TrustedSet::Asked::named.
  std::optional<Sha256Digest> named = std::nullopt;
  /// TrustedSet::Asked::name_here.
  NameHere name_here = NameHere::kUnknown;
  /// TrustedSet::Asked::confirmed_within, where that is not the rule's.
  std::chrono::seconds confirmed_within{0};
};

/// DecidePull answers which digest a pull of `reference` may fetch under one member of a rule
/// (trust/RULES.md#vouched-for). A tag is what is signed now; `name@sha256:A` is also what a record
/// vouches for, unless the rule says `present = "current"`. Pure; the cost does not depend on the
/// number of tags. `view` and `member` are ignored unless the rule verifies.
Decision DecidePull(const ImageReference& reference, AppliedRule applied, const TrustView& view,
                    TimePoint now, std::size_t member = 0);

/// DecidePresent answers whether local content `local` may count as `reference`: signed now for
/// that name, or on record (trust/RULES.md#vouched-for). A request by digest must name `local`
/// itself. Under an `allow` rule it allows without a digest: what the name resolves to is the
/// runtime's.
Decision DecidePresent(const ImageReference& reference, const Sha256Digest& local,
                       AppliedRule applied, const TrustView& view, TimePoint now,
                       std::size_t member = 0);

/// Combined is what the members of one rule say together, each of them having been asked, in the
/// rule's order (trust/RULES.md#several-trusts). One decision stays as it is. Precondition: not
/// empty, and all of one rule.
Decision Combined(std::vector<Decision> members);

/// BindingOf is who says that the name is the digest which was allowed: of several members one that
/// signs the tag is enough.
Evidence::Binding BindingOf(const Decision& decision);

/// RecordOf is what to remember of a `verify` decision that allowed by what is signed now; nullopt
/// for everything else (`allow` rules, refusals, decisions that themselves stood on a record). A
/// request by digest is remembered for the tag that had the digest: pods pinned by digest restart
/// where it was verified, also when no tag was ever pulled.
std::optional<VerifiedRecord> RecordOf(const Decision& decision, TimePoint now);

/// MemberRecord is a record with the member of the rule whose collection it belongs to.
struct MemberRecord {
  std::size_t member;
  VerifiedRecord record;
};
/// The same for every member that vouched for the digest.
std::vector<MemberRecord> RecordsOf(const Decision& decision, TimePoint now);

}  // namespace crivet::trust
