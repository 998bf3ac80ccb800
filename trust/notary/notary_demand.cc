// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/notary_demand.h"

#include <algorithm>

namespace crivet::trust {

bool NotaryDemand::Equals(const Demand& other) const {
  const NotaryDemand& b = AsNotary(other);
  return root == b.root && roles == b.roles && signers == b.signers && grace == b.grace;
}

std::vector<RoleName> NotaryDemand::RolesRead() const {
  std::vector<RoleName> read = roles;
  for (const RoleName& signer : signers) {
    if (std::find(read.begin(), read.end(), signer) == read.end()) read.push_back(signer);
  }
  return read;
}

const NotaryDemand& AsNotary(const Demand& demand) {
  return static_cast<const NotaryDemand&>(demand);
}

}  // namespace crivet::trust
