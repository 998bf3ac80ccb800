// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/finding.h"

#include <algorithm>
#include <utility>

#include "trust/base/quoted.h"

namespace crivet::trust {
namespace {

// `targets/releases version 12, expires 2029-11-20T09:12:00Z; targets version 87, ...`
std::string Shown(const std::vector<const SignedPart*>& asked) {
  std::string shown;
  for (const SignedPart* part : asked) {
    if (part->version == 0) continue;
    if (!shown.empty()) shown += "; ";
    shown += Quoted(part->name) + " version " + std::to_string(part->version) + ", expires " +
             FormatRfc3339(part->expires);
  }
  if (!shown.empty()) return " (" + shown + ")";
  // A misspelt name has to be told from one that nobody has signed by yet.
  const bool delegated = std::any_of(asked.begin(), asked.end(),
                                     [](const SignedPart* part) { return part->threshold > 0; });
  for (const SignedPart* part : asked) {
    if (shown.empty()) {
      shown = delegated ? " (nothing is signed by " : " (nobody delegates ";
    } else {
      shown += ", ";
    }
    shown += Quoted(part->name);
  }
  return shown.empty() ? shown : shown + ")";
}

std::string AskedShown(const Evidence& evidence) {
  std::vector<const SignedPart*> asked;
  for (std::size_t i = evidence.asked_begin; i < evidence.asked_end; ++i) {
    asked.push_back(evidence.parts[i].get());
  }
  return Shown(asked);
}

std::string_view PredicateFor(NetworkCause cause) {
  switch (cause) {
    case NetworkCause::kCredentialsRefused:
      return " grants no access";
    case NetworkCause::kServerError:
      return " answers with an error";
    case NetworkCause::kUnreachable:
    case NetworkCause::kTimeout:
    case NetworkCause::kTls:
      break;
  }
  return " cannot be reached";
}

// Why the server brought nothing better, for the middle of a sentence.
std::string FailureShown(const CollectionId& id, const RefreshFailure& failure) {
  if (failure.cause) {
    return id.url + std::string(PredicateFor(*failure.cause)) + " (" +
           std::string(WordOf(*failure.cause)) + ")";
  }
  if (failure.not_found) return id.url + " has no trust metadata for " + id.name;
  const Reason reason = failure.error.reason;
  if (reason == Reason::kState || reason == Reason::kClock) return failure.error.detail;
  if (reason == Reason::kExpired) {
    return id.url + " has only expired metadata: " + failure.error.detail;
  }
  return "what " + id.url + " serves does not verify: " + failure.error.detail;
}

}  // namespace

Verdict TagNotSigned(const Evidence& asked) {
  return Refusal(Reason::kTagNotSigned, "tag is not signed" + AskedShown(asked));
}

Verdict Withdrawn(const Evidence& asked) {
  return Refusal(Reason::kWithdrawn,
                 "tag was verified here and has been withdrawn since" + AskedShown(asked));
}

Verdict EntryUnusable(const SignedPart& part, std::string_view tag, std::string_view fault) {
  std::string found = "the entry of tag ";
  found.append(tag)
      .append(" in ")
      .append(Quoted(part.name))
      .append(" cannot be used: ")
      .append(fault);
  return Refusal(Reason::kMalformed, found + Shown({&part}));
}

Verdict DigestNotSigned() {
  return Refusal(Reason::kDigestNotSigned, "digest is not the digest of any signed tag");
}

Verdict DigestMismatch(const Sha256Digest& signed_digest) {
  return Refusal(Reason::kDigestMismatch,
                 "tag is signed for another digest, " + signed_digest.ToString());
}

Verdict LocalMismatch(const Sha256Digest& local, const Sha256Digest& wanted) {
  return Refusal(Reason::kDigestMismatch,
                 "the image on this node is " + local.ToString() + ", not " + wanted.ToString());
}

Verdict SignersDisagree(const Sha256Digest& digest, const std::vector<SignerFinding>& others) {
  std::string found = "signers do not agree on " + digest.ToString() + ": ";
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (i > 0) found += ", ";
    found += others[i].signer;
    if (others[i].digest) {
      found += " signed " + others[i].digest->ToString();
    } else if (!others[i].fault.empty()) {
      found.append(" signed an entry that cannot be used: ").append(others[i].fault);
    } else {
      found += " has not signed the tag";
    }
  }
  return Refusal(Reason::kSignersDisagree, std::move(found));
}

Verdict TrustsDisagree(std::string_view first, const Sha256Digest& its, std::string_view second,
                       const Sha256Digest& other) {
  std::string found(first);
  found.append(" names ").append(its.ToString()).append(", and ").append(second);
  found.append(" names ").append(other.ToString());
  return Refusal(Reason::kSignersDisagree, std::move(found));
}

Verdict Denied(const Rule& rule) {
  return Refusal(Reason::kDenied,
                 rule.is_default ? "refused by the default" : "refused by a deny rule");
}

Verdict NotAReference() { return Refusal(Reason::kNotAReference, "not an image reference"); }

Verdict UntrustedRoot(const CollectionId& id) {
  return Refusal(Reason::kUntrustedRoot, "no root of " + id.name + " is one that the rule pins");
}

Verdict Unusable(const Member& member) {
  return Refusal(
      Reason::kState,
      "[trust." + member.trust + "] answers nothing until a file is mended: " + member.unusable);
}

Verdict NoCollection(std::string_view key) {
  return Refusal(Reason::kNoTrustData, key.empty() ? "this name is no repository's"
                                                   : "the rule's " + std::string(key) +
                                                         " makes no repository of this name");
}

Verdict NotReadYet(const CollectionId& id) {
  return Refusal(Reason::kNoTrustData, "no trust metadata of " + id.name + " has been read yet");
}

Verdict NoUsableSet(const CollectionId& id, const RefreshFailure& failure) {
  return Refusal(failure.error.reason, FailureShown(id, failure));
}

Verdict Expired(const CollectionId& id, TimePoint expired, const RefreshFailure* failure) {
  std::string found = "trust metadata expired at " + FormatRfc3339(expired);
  if (failure == nullptr) return Refusal(Reason::kExpired, std::move(found));
  found += " and " + FailureShown(id, *failure);
  // trust/RULES.md#a-bad-role-hides-nothing: with no unexpired set left, what does not verify
  // denies.
  const bool denies = AnswerFor(failure->error.reason) == Answer::kDeny;
  return Refusal(denies ? failure->error.reason : Reason::kExpired, std::move(found));
}

Verdict WithNote(Verdict verdict, std::string_view note) {
  if (auto* deny = std::get_if<Deny>(&verdict)) deny->found.append("; ").append(note);
  if (auto* unavailable = std::get_if<Unavailable>(&verdict)) {
    unavailable->found.append("; ").append(note);
  }
  return verdict;
}

std::string RecordTooOld(TimePoint counted_until) {
  return "what this node verified itself counted until " + FormatRfc3339(counted_until) +
         " (present_max_age)";
}

std::string RecordNotAccepted() {
  return "this node verified it once, but not by roles, keys and a root that count today";
}

}  // namespace crivet::trust
