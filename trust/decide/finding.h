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
#include "trust/decide/verdict.h"
#include "trust/notary/refresh.h"
#include "trust/tuf/entry_fault.h"

namespace crivet::trust {

// What a decision found, in the words that kubelet and people read
// (proxy/RULES.md#what-kubelet-reads). The same state gives the same bytes: no relative times, no
// counters, no addresses beyond the configured URL. Each function makes the refusal of the reason
// that its name says. Pure.

/// SignerFinding is what one signer says of a tag: nothing, or another digest.
struct SignerFinding {
  RoleName signer;
  std::optional<Sha256Digest> digest;
  std::optional<EntryFault> fault = {};
};

/// `asked` are the roles that could have listed the tag.
Verdict TagNotSigned(const std::vector<RoleEvidence>& asked);
Verdict Withdrawn(const std::vector<RoleEvidence>& asked);
/// `role` lists the tag, by an entry that cannot be used.
Verdict EntryUnusable(const RoleEvidence& role, std::string_view tag, EntryFault fault);
Verdict DigestNotSigned();
/// The reference names a tag and a digest that are not of each other.
Verdict DigestMismatch(const Sha256Digest& signed_digest);
/// What is on the node is not what the name stands for.
Verdict LocalMismatch(const Sha256Digest& local, const Sha256Digest& wanted);
Verdict SignersDisagree(const Sha256Digest& digest, const std::vector<SignerFinding>& others);
Verdict Denied(const Rule& rule);
Verdict NotAReference();
Verdict UntrustedRoot(const RepositoryId& id);

/// `gun` maps the name to what cannot be a collection.
Verdict NoCollection();
/// There is no set yet, or none of the roles that the rule reads, and no refresh has failed.
Verdict NotReadYet(const RepositoryId& id);
/// There is no usable set, and this is why the latest refresh brought none: the reason is its own.
Verdict NoUsableSet(const RepositoryId& id, const RefreshFailure& failure);
/// The set ran out at `expired`. Unavailable, unless the latest refresh met something that denies.
Verdict Expired(const RepositoryId& id, TimePoint expired, const RefreshFailure* failure);

/// Adds a sentence to what a refusal found; Allow stays as it is.
Verdict WithNote(Verdict verdict, std::string_view note);
/// This node's own record no longer counts because of present_max_age.
std::string RecordTooOld(TimePoint counted_until);
/// This node's own record does not count under today's rule.
std::string RecordNotAccepted();

}  // namespace crivet::trust
