// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/age.h"

#include <set>
#include <string>

#include "trust/tuf/expiry.h"

namespace crivet::trust {

bool Binds(const Floor& floor, const AuthorizedKeys& authorized) {
  std::set<KeyId> signers;
  for (const std::string& text : floor.signers) {
    const Result<KeyId> id = KeyId::Parse(text);
    if (!id) return true;
    signers.insert(*id);
  }
  return authorized.StillBinds(signers);
}

Result<void> CheckFloor(const RoleName& role, const Floor& floor, std::int64_t version,
                        const Sha256& signed_sha256) {
  if (version < floor.version) {
    return Fail(Reason::kRollback, VersionOf(role, version) + " is older than version " +
                                       std::to_string(floor.version) +
                                       ", which was verified before");
  }
  // trust/notary/FORMAT.md#the-update-of-notarys-client, D: the same number with other content is a
  // replacement in silence. The layout of the file is no content: whoever is on the wire can change
  // it, and must not keep the file away.
  if (version == floor.version && signed_sha256 != floor.signed_sha256) {
    return Fail(Reason::kRollback, VersionOf(role, version) + " is not the version " +
                                       std::to_string(floor.version) + " that was verified before");
  }
  return {};
}

Result<void> CheckTime(const RoleName& role, std::int64_t version, TimePoint expires, TimePoint now,
                       std::chrono::seconds grace) {
  return CheckTime(role.text(), version, expires, now, grace);
}

std::string VersionOf(const RoleName& role, std::int64_t version) {
  return VersionOf(role.text(), version);
}

}  // namespace crivet::trust
