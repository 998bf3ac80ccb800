// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/evidence.h"
#include "trust/decide/policy.h"
#include "trust/decide/refresh.h"

namespace crivet::trust {

// What a decision found, in the words that kubelet and people read
// (proxy/RULES.md#what-kubelet-reads). The same state gives the same bytes: no relative times, no
// counters, no addresses beyond the configured URL. Each function makes the refusal of the reason
// that its name says. Pure.

/// SignerFinding is what one signer says of a tag: nothing, another digest, or what cannot be used.
struct SignerFinding {
  std::string signer;
  std::optional<Sha256Digest> digest;
  std::string_view fault = {};  ///< in words; empty: none
};

/// The parts that were asked are those of the evidence.
Verdict TagNotSigned(const Evidence& asked);
Verdict Withdrawn(const Evidence& asked);
/// `part` lists the tag, by an entry that cannot be used; `fault` says why.
Verdict EntryUnusable(const SignedPart& part, std::string_view tag, std::string_view fault);
Verdict DigestNotSigned();
/// The reference names a tag and a digest that are not of each other.
Verdict DigestMismatch(const Sha256Digest& signed_digest);
/// What is on the node is not what the name stands for.
Verdict LocalMismatch(const Sha256Digest& local, const Sha256Digest& wanted);
Verdict SignersDisagree(const Sha256Digest& digest, const std::vector<SignerFinding>& others);
/// Two trusts of an `all_of` name different digests.
Verdict TrustsDisagree(std::string_view first, const Sha256Digest& its, std::string_view second,
                       const Sha256Digest& other);
Verdict Denied(const Rule& rule);
Verdict NotAReference();
Verdict UntrustedRoot(const CollectionId& id);

/// A file that the member names cannot be used.
Verdict Unusable(const Member& member);
/// The name is mapped, by the key of the rule, to what cannot be a collection.
Verdict NoCollection(std::string_view key);
/// There is no set yet, or none of the roles that the rule reads, and no refresh has failed.
Verdict NotReadYet(const CollectionId& id);
/// There is no usable set, and this is why the latest refresh brought none: the reason is its own.
Verdict NoUsableSet(const CollectionId& id, const RefreshFailure& failure);
/// The set ran out at `expired`. Unavailable, unless the latest refresh met something that denies.
Verdict Expired(const CollectionId& id, TimePoint expired, const RefreshFailure* failure);

/// Adds a sentence to what a refusal found; Allow stays as it is.
Verdict WithNote(Verdict verdict, std::string_view note);
/// This node's own record no longer counts because of present_max_age.
std::string RecordTooOld(TimePoint counted_until);
/// This node's own record does not count under today's rule.
std::string RecordNotAccepted();

}  // namespace crivet::trust
