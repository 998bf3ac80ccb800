// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "trust/decide/demand.h"
#include "trust/tuf/role_name.h"
#include "trust/tuf/root_pin.h"

namespace crivet::trust {

/// NotaryDemand is what a rule wants of a Notary v1 collection: which root to believe, which roles
/// say what a tag is, in which order, and who has to agree.
struct NotaryDemand final : Demand {
  RootPin root;
  std::vector<RoleName> roles;
  std::vector<RoleName> signers;  ///< as roles: `targets/alice`
  /// For timestamp and snapshot (trust/RULES.md#freshness).
  std::chrono::seconds grace{0};

  bool Equals(const Demand& other) const override;

  /// Every role that a decision reads: roles and signers, without duplicates.
  std::vector<RoleName> RolesRead() const;
};

/// The demand of a rule of this kind. Precondition: it is one.
const NotaryDemand& AsNotary(const Demand& demand);

}  // namespace crivet::trust
