// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trust/decide/evidence.h"
#include "trust/decide/policy.h"

namespace crivet::trust {

/// MemberEvidence is what one member of a rule vouches for the digest with.
struct MemberEvidence {
  std::size_t member;
  Evidence evidence;
};

/// MemberDigest is what another member of the rule says that the name is now.
struct MemberDigest {
  std::size_t member;
  Sha256Digest digest;
};

/// Decision is a verdict with everything that explains it.
struct Decision {
  Verdict verdict;
  AppliedRule applied;
  /// Of the member that decided: the first that allowed, else the one whose reason is given.
  Evidence evidence;
  std::size_t member = 0;
  /// Of an `all_of` that allowed: the other members' own.
  std::vector<MemberEvidence> others = {};
  /// Of an `any_of` that allowed a pull by tag: the members that sign tags and say, by what is
  /// known of them, that it is another digest. They change nothing.
  std::vector<MemberDigest> disagree = {};
  /// Whether a refresh begun for this very name may change the verdict: then it refuses.
  bool asks = false;
  Mode mode() const { return applied.rule->mode; }
};

/// What kubelet reads for a refusal, proxy/RULES.md#what-kubelet-reads: `<Word>: <reference>:
/// <found> [rule "x", code]`. Empty for Allow. `canonical` is the canonical form of what was asked
/// (or the text as written where it is not a reference: it is cut, and what is not printable ASCII
/// is replaced).
std::string RefusalMessage(const Decision& decision, std::string_view canonical);

}  // namespace crivet::trust
