// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "trust/decide/record.h"

namespace crivet::trust {

/// RecordOwner is whose a record is, where there are too many: whoever can bring many about must
/// push out none of another's.
struct RecordOwner {
  std::string who;        ///< who signs, or for which rule
  std::string what = {};  ///< what of theirs: a repository, which whoever runs pods chooses
};
using OwnerOf = std::function<RecordOwner(const VerifiedRecord&)>;

/// MakeRoom drops records until so many are left: withdrawn ones first, then of whoever has the
/// most, of what of theirs there is most, the oldest. Nothing where there are no more than that.
void MakeRoom(Records& records, std::size_t left, const OwnerOf& owner_of);

/// WithRecord adds a record, in the place of earlier ones for the same tag and digest that name no
/// other parts; where one says the same, nothing changes. Beyond Limits::records some go, of the
/// parts that vouch for the most (MakeRoom).
Records WithRecord(Records records, VerifiedRecord record);

}  // namespace crivet::trust
