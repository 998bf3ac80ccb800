// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/decide/demand.h"
#include "trust/tuf1/root_pin.h"
#include "trust/tuf1/target_files.h"
#include "trust/tuf1/target_name.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

/// TufTrust is what a `[trust.*]` says of its repository: from which root on it is believed, and
/// how far one search may go.
struct TufTrust final : Demand {
  RootPin pin;
  std::size_t max_delegations = Caps{}.delegations;

  bool Equals(const Demand& other) const override;
};

/// TufDemand is what a rule wants of a repository: how images are called there, and who says what
/// they are.
struct TufDemand final : Demand {
  /// Never null once the rule is read.
  std::shared_ptr<const TufTrust> trust;
  TargetName target;
  /// Unset: digests have no targets of their own.
  std::optional<TargetName> digest_target;
  /// The roles in which a search may end; empty: any.
  std::vector<std::string> roles;
  /// Delegated roles that each have to list the same digest.
  std::vector<std::string> signers;
  /// For timestamp and snapshot (trust/RULES.md#freshness).
  std::chrono::seconds grace{0};
  /// Set where it is no rule's, but of who reads this file; all else but `trust` counts for nothing
  /// then.
  std::optional<TargetFile> file = {};

  explicit TufDemand(TargetName of_tags) : target(std::move(of_tags)) {}
  bool Equals(const Demand& other) const override;

  /// The name that a reference has in the repository, by its tag (`latest` where it has none) or,
  /// where it has a digest alone, by that; nullopt where digests have no names.
  std::optional<std::string> NameOf(const ImageReference& reference) const;
  std::string NameOfTag(const ImageReference& reference, std::string_view tag) const {
    return target.For(reference, tag);
  }
};

/// The demand of who reads that file in the trust's repository.
SharedDemand DemandOfTarget(const SharedDemand& trust, TargetFile file);

/// The demand of a rule of this kind. Precondition: it is one.
const TufDemand& AsTuf(const Demand& demand);

}  // namespace crivet::trust::tuf1
