#pragma once

#include <map>
#include <string>
#include <vector>

#include "trust/core/image_reference.h"
#include "trust/core/policy.h"
#include "trust/core/public_key.h"
#include "trust/core/repository.h"
#include "trust/core/time.h"

namespace crivet::trust {

/// VerifiedRecord says that this node once verified a digest for a tag, and on what that stood
/// (DESIGN 3, vouched for). It is written only by a `verify` decision that allowed.
struct VerifiedRecord {
  std::string tag;
  Sha256Digest digest;
  /// Roles that named the digest, each with the keys that had signed it.
  std::map<RoleName, std::vector<KeyId>> vouching;
  /// The newest root at that time and the keys that signed it.
  Sha256 root{};
  std::vector<KeyId> root_signers;
  TimePoint recorded_at;
  friend bool operator==(const VerifiedRecord&, const VerifiedRecord&) = default;
};

/// Records of one repository, in the order they were made; at most one for a (tag, digest).
using Records = std::vector<VerifiedRecord>;

/// The records that still stand after `repository` was verified: those of a tag that no rule's roles
/// list any more are gone (withdrawn). `roles` are the roles that were read.
Records WithoutWithdrawn(Records records, const Repository& repository);

}  // namespace crivet::trust
