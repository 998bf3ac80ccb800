#pragma once

#include <memory>
#include <optional>

#include "trust/core/record.h"
#include "trust/core/refresh.h"
#include "trust/core/repository.h"
#include "trust/core/verdict.h"

namespace crivet::trust {

/// TrustView is what is known of one repository when a decision is made.
struct TrustView {
  /// The last complete set; null where there is none.
  std::shared_ptr<const Repository> repository;
  std::shared_ptr<const Records> records;
  /// The latest refresh, where it failed: the reason to give when there is no usable set.
  std::shared_ptr<const RefreshFailure> failure;
};

/// DecidePull answers which digest a pull of `reference` may fetch under a rule (DESIGN 4). Pure;
/// the cost does not depend on the number of tags. `view` is ignored unless the rule verifies.
Decision DecidePull(const ImageReference& reference, const AppliedRule& applied,
                    const TrustView& view, TimePoint now);

/// DecidePresent answers whether local content `local` may count as `reference`: signed now for
/// that name, or on record (DESIGN 3, vouched for). A request by digest must name `local` itself.
Decision DecidePresent(const ImageReference& reference, const Sha256Digest& local,
                       const AppliedRule& applied, const TrustView& view, TimePoint now);

/// RecordOf is what to remember of a `verify` decision that allowed a tag; nullopt for everything
/// else (digests, `allow` rules, refusals, decisions that themselves stood on a record).
std::optional<VerifiedRecord> RecordOf(const ImageReference& reference, const Decision& decision,
                                       const TrustView& view, TimePoint now);

}  // namespace crivet::trust
