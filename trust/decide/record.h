// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/time.h"

namespace crivet::trust {

/// VerifiedRecord says that this node once verified a digest for a tag, and on what that stood
/// (trust/RULES.md#vouched-for). It is written only by a `verify` decision that allowed.
struct VerifiedRecord {
  std::string tag;  ///< empty where it was verified for the digest alone
  Sha256Digest digest;
  /// The part that decided and those that agreed, each with who had signed it, in the kind's words.
  std::map<std::string, std::vector<std::string>> vouching;
  /// The anchor it hangs from (Evidence::anchor), and who had signed that.
  Sha256 anchor{};
  std::vector<std::string> anchor_signers;
  TimePoint recorded_at;
  /// Evidence::name.
  std::string name = {};
  friend bool operator==(const VerifiedRecord&, const VerifiedRecord&) = default;
};

/// Records of one collection, in the order they were made. There are several for one tag and digest
/// only where different rules read different signers.
using Records = std::vector<VerifiedRecord>;

/// Standing is what a record is worth today.
enum class Standing : std::uint8_t {
  kStands,
  kWithdrawn,    ///< its tag is no longer in what the rule reads, or was not meanwhile
  kNotAccepted,  ///< made under parts, signers or an anchor that the rule does not accept, or by a
                 ///< key that has lost its part
};

// A record of a tag that nobody lists any more vouches for nothing, never again. It is kept, with
// nobody's keys under its parts, to tell a tag that was taken back from one that nobody ever
// signed. Where records have to go, such ones go first.

/// Takes every key out of the record.
void Withdraw(VerifiedRecord& record);

bool IsWithdrawn(const VerifiedRecord& record);

/// Of a tag that none of `parts` lists: whether it was verified by one of them, so that whoever
/// reads them has seen it withdrawn.
bool WasTakenBack(const Records& records, std::string_view tag,
                  const std::vector<std::string>& parts);

}  // namespace crivet::trust
