// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "trust/decide/record.h"

namespace crivet::trust {

// A record of a tag that no role lists any more vouches for nothing, never again. It is kept, with
// nobody's keys under its roles, to tell a tag that was taken back from one that nobody ever
// signed. Where records have to go, such ones go first.

/// Takes every key out of the record.
void Withdraw(VerifiedRecord& record);

bool IsWithdrawn(const VerifiedRecord& record);

/// Of a tag that none of `roles` lists: whether it was verified by one of them, so that whoever
/// reads them has seen it withdrawn.
bool WasTakenBack(const Records& records, std::string_view tag, const std::vector<RoleName>& roles);

}  // namespace crivet::trust
