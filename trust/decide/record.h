// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/decide/policy.h"
#include "trust/notary/repository.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

/// VerifiedRecord says that this node once verified a digest for a tag, and on what that stood
/// (trust/RULES.md#vouched-for). It is written only by a `verify` decision that allowed.
struct VerifiedRecord {
  std::string tag;
  Sha256Digest digest;
  /// The role that decided and the signers that agreed, each with the keys that had signed it.
  std::map<RoleName, std::vector<KeyId>> vouching;
  /// The root it hangs from (RootLink::signed_sha256), and the keys that had signed that root.
  Sha256 root{};
  std::vector<KeyId> root_signers;
  TimePoint recorded_at;
  friend bool operator==(const VerifiedRecord&, const VerifiedRecord&) = default;
};

/// Records of one repository, in the order they were made. There are several for one tag and digest
/// only where different rules read different signers.
using Records = std::vector<VerifiedRecord>;

/// Standing is what a record is worth today.
enum class Standing : std::uint8_t {
  kStands,
  kWithdrawn,    ///< its tag is no longer in what the rule reads, or was not meanwhile
  kNotAccepted,  ///< made under roles, signers or a root that the rule does not accept, or by a key
                 ///< that has lost its role
};

/// StandingOf judges a record by today's rule and the newest verified metadata, whether that has
/// expired or not; present_max_age is for the caller. Precondition: `repository` was read for the
/// rule's roles, and `match` is how the rule's pin anchors its chain.
Standing StandingOf(const VerifiedRecord& record, const Rule& rule, const Repository& repository,
                    const PinMatch& match);

/// RecordsAfter is what becomes of the records once `repository` was verified: those of a tag that
/// no role lists any more are withdrawn (withdrawn.h), and go once it is listed again. One whose
/// root is in the chain and whose keys the newest root still covers hangs from the newest root from
/// then on, so that a pin of the new root alone does not void it. Nothing goes because of a time.
Records RecordsAfter(Records records, const Repository& repository);

/// WithRecord adds a record, in the place of earlier ones for the same tag and digest that name no
/// other roles; where one says the same, nothing changes. Beyond Limits::records the oldest go.
Records WithRecord(Records records, VerifiedRecord record);

}  // namespace crivet::trust
