// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/floor.h"
#include "trust/signed/authorized_keys.h"
#include "trust/tuf/role_name.h"

namespace crivet::trust {

// Whether a file that verifies is too old: by its version (rollback) or by its time (freeze).

/// Binds tells whether a floor still counts under the keys that the newest verified parent gives
/// the role (trust/RULES.md#rollback-floors): every key that signed at the floor is still listed
/// for the role, and together they still meet its threshold. Adding a key changes nothing; taking
/// one away is how a publisher gets out of a version that an attacker has driven up. A floor whose
/// signers are no key IDs binds.
bool Binds(const Floor& floor, const AuthorizedKeys& authorized);

/// kRollback where `version` is below the floor, or is the floor's with other signed bytes.
Result<void> CheckFloor(const RoleName& role, const Floor& floor, std::int64_t version,
                        const Sha256& signed_sha256);

/// TextsOf is how floors, records and evidence name keys.
template <typename Keys>
std::vector<std::string> TextsOf(const Keys& keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const KeyId& key : keys) texts.push_back(key.ToString());
  return texts;
}

/// CheckTime is kExpired from the moment `expires + grace` on.
Result<void> CheckTime(const RoleName& role, std::int64_t version, TimePoint expires, TimePoint now,
                       std::chrono::seconds grace);

/// `timestamp version 7`: how errors name a file.
std::string VersionOf(const RoleName& role, std::int64_t version);

}  // namespace crivet::trust
