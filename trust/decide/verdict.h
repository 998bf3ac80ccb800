// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/reason.h"
#include "trust/base/time.h"
#include "trust/decide/policy.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

struct FetchCause;

/// Allow is the only verdict that forwards. `digest` is what was signed; it is missing only under
/// an `allow` rule, where nothing is pinned.
struct Allow {
  std::optional<Sha256Digest> digest;
};

/// Deny: the evidence speaks against the image. `found` says what was found, for people; it is the
/// same text for the same state (no relative times, counters or addresses: kubelet merges errors
/// only when they are the same bytes).
struct Deny {
  Reason reason;
  std::string found;
};

/// Unavailable: the evidence is missing or too old.
struct Unavailable {
  Reason reason;
  std::string found;
};

using Verdict = std::variant<Allow, Deny, Unavailable>;

/// Refusal makes the verdict that belongs to the reason: Deny or Unavailable.
Verdict Refusal(Reason reason, std::string found);

/// RoleEvidence is one role that took part in a decision.
struct RoleEvidence {
  RoleName role;
  /// Zero where the role has no signed metadata: nobody delegates it (then its threshold is zero
  /// too), or nothing is signed yet.
  std::int64_t version = 0;
  TimePoint expires;
  std::vector<KeyId> signed_by;
  std::size_t threshold = 0;
};

/// Evidence is what a decision stands on: for the audit line, `crivet verify` and the record. Empty
/// where there is no trusted set.
struct Evidence {
  /// root, timestamp, snapshot, then every role that the rule reads, in the order of asking.
  std::vector<RoleEvidence> roles;
  /// The role that decided, and the signers that agreed with it: what a record keeps. Empty unless
  /// the verdict allows by what is signed now.
  std::vector<RoleName> vouching;
  /// The signed tag that has the digest: the one asked for, or one found for the digest.
  std::optional<std::string> tag;
  /// The newest root, by the hash of what was signed (RootLink::signed_sha256).
  Sha256 root{};
  std::optional<TimePoint> verified_at;
  /// True where the verdict stands on a record and not on what is signed now.
  bool from_record = false;
  /// Set when the matching pin is no longer the newest root's: the key ID to pin now.
  std::optional<KeyId> newer_root_key;
  /// Of a refusal: why the latest refresh could not have a file, where that is known in full. It
  /// varies with addresses and times, so it is never part of the verdict.
  std::shared_ptr<const FetchCause> why;
};

/// Decision is a verdict with everything that explains it.
struct Decision {
  Verdict verdict;
  AppliedRule applied;
  Evidence evidence;
  Mode mode() const { return applied.rule->mode; }
};

/// What kubelet reads for a refusal, proxy/RULES.md#what-kubelet-reads: `<Word>: <reference>:
/// <found> [rule "x", code]`. Empty for Allow. `canonical` is the canonical form of what was asked
/// (or the text as written where it is not a reference: it is cut, and what is not printable ASCII
/// is replaced).
std::string RefusalMessage(const Decision& decision, std::string_view canonical);

}  // namespace crivet::trust
