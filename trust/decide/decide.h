// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "trust/decide/record.h"
#include "trust/decide/verdict.h"
#include "trust/notary/refresh.h"
#include "trust/notary/repository.h"

namespace crivet::trust {

/// TrustView is what is known of one repository when a decision is made.
struct TrustView {
  /// The last complete set; null where there is none.
  std::shared_ptr<const Repository> repository;
  std::shared_ptr<const Records> records;
  /// The latest refresh, where it failed: the reason to give when there is no usable set.
  std::shared_ptr<const RefreshFailure> failure;
};

/// DecidePull answers which digest a pull of `reference` may fetch under a rule
/// (trust/RULES.md#vouched-for). A tag is what is signed now; `name@sha256:A` is also what a record
/// vouches for, unless the rule says `present = "current"` (trust/RULES.md#vouched-for). Pure; the
/// cost does not depend on the number of tags. `view` is ignored unless the rule verifies.
Decision DecidePull(const ImageReference& reference, AppliedRule applied, const TrustView& view,
                    TimePoint now);

/// DecidePresent answers whether local content `local` may count as `reference`: signed now for
/// that name, or on record (trust/RULES.md#vouched-for). A request by digest must name `local`
/// itself. Under an `allow` rule it allows without a digest: what the name resolves to is the
/// runtime's.
Decision DecidePresent(const ImageReference& reference, const Sha256Digest& local,
                       AppliedRule applied, const TrustView& view, TimePoint now);

/// RecordOf is what to remember of a `verify` decision that allowed by what is signed now; nullopt
/// for everything else (`allow` rules, refusals, decisions that themselves stood on a record). A
/// request by digest is remembered for the tag that had the digest: pods pinned by digest restart
/// where it was verified, also when no tag was ever pulled.
std::optional<VerifiedRecord> RecordOf(const Decision& decision, TimePoint now);

}  // namespace crivet::trust
