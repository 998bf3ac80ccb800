// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/decide.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/decide/finding.h"
#include "trust/decide/withdrawn.h"
#include "trust/notary/repository_parts.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kDefaultTag = "latest";

/// Entry is the result of looking a tag up: what the first role of the rule's order that lists it
/// says. An entry that cannot be used decides like any other: a later role is not asked.
struct Entry {
  RoleName role;
  tl::expected<Sha256Digest, EntryFault> digest;
};

/// Judge decides about one reference under one verify rule. It lives for one decision.
class Judge {
 public:
  Judge(const ImageReference& reference, AppliedRule applied, const TrustView& view, TimePoint now)
      : reference_(reference),
        applied_(std::move(applied)),
        rule_(*applied_.rule),
        view_(view),
        now_(now) {}

  Decision Pull() && {
    Verdict verdict = Current();
    // A tag is what is signed now. A digest that was verified here survives that its tag moves on.
    const bool by_digest_alone = reference_.digest() && !reference_.tag();
    if (by_digest_alone && !std::holds_alternative<Allow>(verdict)) {
      verdict = OnRecord(*reference_.digest(), std::move(verdict));
    }
    return std::move(*this).Finish(std::move(verdict));
  }

  Decision Present(const Sha256Digest& local) && {
    Verdict verdict = Current();
    const auto* allow = std::get_if<Allow>(&verdict);
    if (allow == nullptr || allow->digest != local) {
      if (allow != nullptr) verdict = LocalMismatch(local, allow->digest.value());
      // What vouches for the other digest is no evidence for this one.
      evidence_.vouching.clear();
      evidence_.tag.reset();
      verdict = OnRecord(local, std::move(verdict));
    }
    return std::move(*this).Finish(std::move(verdict));
  }

 private:
  // What is signed now says, records left aside.
  Verdict Current() {
    if (auto refusal = WithoutTrustedSet()) return *std::move(refusal);
    Explain();
    if (auto refusal = NotFresh()) return *std::move(refusal);
    if (reference_.NamesOtherDigest()) return DigestNotSigned();
    if (reference_.digest() && !reference_.tag()) return OfAnyTag(*reference_.digest());
    return OfTag(reference_.tag() ? std::string_view(*reference_.tag()) : kDefaultTag);
  }

  // Sets repository_ and match_ where there is a set that this rule may read.
  std::optional<Verdict> WithoutTrustedSet() {
    if (!applied_.repository) return NoCollection();
    const RepositoryId& id = *applied_.repository;
    const auto& known = view_.repository;
    // A set that was read for other roles says nothing of these: one of them may be delegated.
    const bool read = known &&
                      std::all_of(rule_.roles.begin(), rule_.roles.end(), WasRead{*known}) &&
                      std::all_of(rule_.signers.begin(), rule_.signers.end(), WasRead{*known});
    if (!read) return view_.failure ? NoUsableSet(id, *view_.failure) : NotReadYet(id);
    // The set may be there because of another rule's pin; this one has to anchor it too.
    match_ = known->Match(rule_.root, now_);
    if (!match_) return UntrustedRoot(id);
    repository_ = known.get();
    return std::nullopt;
  }

  std::optional<Verdict> NotFresh() const {
    const std::vector<RoleName> with_signers =
        rule_.signers.empty() ? std::vector<RoleName>() : rule_.RolesRead();
    const std::vector<RoleName>& read = rule_.signers.empty() ? rule_.roles : with_signers;
    const auto fresh = repository_->CheckFresh(read, now_, rule_.grace);
    if (fresh) return std::nullopt;
    if (fresh.error().reason == Reason::kExpired) {
      return Expired(repository_->id(), repository_->Expires(read), view_.failure.get());
    }
    // A newer root acts at once: what its keys no longer cover is gone.
    if (view_.failure) return NoUsableSet(repository_->id(), *view_.failure);
    return Refusal(fresh.error().reason, fresh.error().detail);
  }

  // trust/RULES.md#tags: exactly the rule's roles, in its order; the first that lists the tag
  // decides.
  std::optional<Entry> Lookup(std::string_view tag) const {
    for (const RoleName& role : rule_.roles) {
      if (const auto digest = repository_->Lookup(role, tag)) return Entry{role, *digest};
      if (const auto fault = FaultOf(*repository_, role, tag)) {
        return Entry{role, tl::unexpected(*fault)};
      }
    }
    return std::nullopt;
  }

  bool SignersAgree(std::string_view tag, const Sha256Digest& digest) const {
    return std::all_of(rule_.signers.begin(), rule_.signers.end(), [&](const RoleName& signer) {
      return repository_->Lookup(signer, tag) == digest;
    });
  }

  std::vector<SignerFinding> OtherSigners(std::string_view tag, const Sha256Digest& digest) const {
    std::vector<SignerFinding> others;
    for (const RoleName& signer : rule_.signers) {
      const auto named = repository_->Lookup(signer, tag);
      if (named != digest) {
        others.push_back({signer, named, FaultOf(*repository_, signer, tag)});
      }
    }
    return others;
  }

  Verdict OfTag(std::string_view tag) {
    const auto entry = Lookup(tag);
    if (!entry) {
      const bool taken_back = view_.records && WasTakenBack(*view_.records, tag, rule_.roles);
      return taken_back ? Withdrawn(RolesAsked()) : TagNotSigned(RolesAsked());
    }
    if (!entry->digest) {
      return EntryUnusable(EvidenceOf(entry->role), tag, entry->digest.error());
    }
    const Sha256Digest digest = *entry->digest;
    if (!SignersAgree(tag, digest)) return SignersDisagree(digest, OtherSigners(tag, digest));
    if (reference_.digest() && *reference_.digest() != digest) return DigestMismatch(digest);
    return Vouch(tag, entry->role, digest);
  }

  // trust/RULES.md#digests: the result of looking some tag up. An entry that an earlier role
  // shadows, or that the signers do not share, is not signed.
  Verdict OfAnyTag(const Sha256Digest& digest) {
    for (const RoleName& role : rule_.roles) {
      const Targets* targets = repository_->Find(role);
      if (targets == nullptr) continue;
      for (const std::string_view tag : targets->TagsOf(digest)) {
        const auto entry = Lookup(tag);
        if (entry && entry->digest == digest && SignersAgree(tag, digest)) {
          return Vouch(tag, entry->role, digest);
        }
      }
    }
    return DigestNotSigned();
  }

  Verdict Vouch(std::string_view tag, const RoleName& role, const Sha256Digest& digest) {
    evidence_.tag = tag;
    evidence_.vouching.push_back(role);
    for (const RoleName& signer : rule_.signers) {
      if (signer != role) evidence_.vouching.push_back(signer);
    }
    return Allow{digest};
  }

  // Whether what this node verified earlier vouches for `digest` under the name; `otherwise` is
  // the verdict without records.
  Verdict OnRecord(const Sha256Digest& digest, Verdict otherwise) {
    if (repository_ == nullptr || view_.records == nullptr || rule_.present == Present::kCurrent) {
      return otherwise;
    }
    // Such a name has no digest that a record could have, and is not its `latest` either.
    if (reference_.NamesOtherDigest()) return otherwise;
    const bool any_tag = reference_.digest() && !reference_.tag();
    const std::string_view tag =
        reference_.tag() ? std::string_view(*reference_.tag()) : kDefaultTag;
    bool withdrawn = false;
    bool refused = false;
    for (const VerifiedRecord& record : *view_.records) {
      if (record.digest != digest || (!any_tag && record.tag != tag)) continue;
      switch (StandingOf(record, rule_, *repository_, *match_)) {
        case Standing::kStands:
          return BySoundRecord(record, std::move(otherwise));
        case Standing::kWithdrawn:
          withdrawn = true;
          break;
        case Standing::kNotAccepted:
          refused = true;
          break;
      }
    }
    if (refused) return WithNote(std::move(otherwise), RecordNotAccepted());
    // Only where nothing is signed for the name: a tag that moved on was not withdrawn.
    const auto* deny = std::get_if<Deny>(&otherwise);
    const bool nothing_signed = deny != nullptr && (deny->reason == Reason::kTagNotSigned ||
                                                    deny->reason == Reason::kDigestNotSigned);
    if (withdrawn && nothing_signed) return Withdrawn(RolesAsked());
    return otherwise;
  }

  Verdict BySoundRecord(const VerifiedRecord& record, Verdict otherwise) {
    if (rule_.present_max_age.count() > 0) {
      const TimePoint counts_until = repository_->verified_at() + rule_.present_max_age;
      if (now_ > counts_until) return WithNote(std::move(otherwise), RecordTooOld(counts_until));
    }
    evidence_.from_record = true;
    evidence_.tag = record.tag;
    return Allow{record.digest};
  }

  // Fills the evidence that does not depend on the verdict.
  void Explain() {
    const auto& chain = repository_->chain();
    evidence_.root = chain.back().signed_sha256;
    evidence_.verified_at = repository_->verified_at();
    const Root& root = repository_->root();
    if (!match_->newest && !chain.back().signers.empty()) {
      const auto& keys = root.KeysOf(RoleName::Root()).keys;
      const auto key = keys.find(*chain.back().signers.begin());
      if (key != keys.end()) evidence_.newer_root_key = key->second.canonical_id();
    }
    const Repository::Parts& parts = repository_->parts();
    evidence_.roles.reserve(3 + rule_.roles.size() + rule_.signers.size());
    AddEvidence(RoleName::Root(), &root, chain.back().signers);
    AddEvidence(RoleName::Timestamp(), parts.timestamp.metadata.get(), parts.timestamp.signers);
    AddEvidence(RoleName::Snapshot(), parts.snapshot.metadata.get(), parts.snapshot.signers);
    for (const RoleName& role : rule_.roles) AddEvidence(role);
    for (const RoleName& signer : rule_.signers) {
      if (!Names(rule_.roles, signer)) AddEvidence(signer);
    }
  }

  void AddEvidence(const RoleName& role) {
    static const VerifiedFile<Targets> kNone;
    const auto file = repository_->parts().roles.find(role);
    const auto& known = file == repository_->parts().roles.end() ? kNone : file->second;
    AddEvidence(role, known.metadata.get(), known.signers);
  }

  // `signers` are those that had signed; keys that the role has lost since do not count.
  template <typename T>
  void AddEvidence(const RoleName& role, const T* metadata, const std::set<KeyId>& signers) {
    RoleEvidence evidence{role, 0, {}, {}, 0};
    if (metadata != nullptr) {
      evidence.version = metadata->version();
      evidence.expires = metadata->expires();
    }
    if (const AuthorizedKeys* keys = repository_->parts().AuthorizedFor(role)) {
      evidence.threshold = keys->threshold;
      for (const KeyId& signer : signers) {
        if (keys->keys.contains(signer)) evidence.signed_by.push_back(signer);
      }
    }
    evidence_.roles.push_back(std::move(evidence));
  }

  static bool Names(const std::vector<RoleName>& roles, const RoleName& role) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  }

  // Precondition: one of the rule's roles.
  const RoleEvidence& EvidenceOf(const RoleName& role) const {
    return *std::find_if(evidence_.roles.begin(), evidence_.roles.end(),
                         [&](const RoleEvidence& evidence) { return evidence.role == role; });
  }

  std::vector<RoleEvidence> RolesAsked() const {
    std::vector<RoleEvidence> asked;
    for (const RoleEvidence& evidence : evidence_.roles) {
      if (Names(rule_.roles, evidence.role)) asked.push_back(evidence);
    }
    return asked;
  }

  Decision Finish(Verdict verdict) && {
    if (!std::holds_alternative<Allow>(verdict) && view_.failure)
      evidence_.why = view_.failure->why;
    return Decision{std::move(verdict), std::move(applied_), std::move(evidence_)};
  }

  struct WasRead {
    const Repository& repository;
    bool operator()(const RoleName& role) const { return repository.roles_read().contains(role); }
  };

  const ImageReference& reference_;
  AppliedRule applied_;
  const Rule& rule_;
  const TrustView& view_;
  TimePoint now_;
  const Repository* repository_ = nullptr;
  std::optional<PinMatch> match_;
  Evidence evidence_;
};

}  // namespace

Decision DecidePull(const ImageReference& reference, AppliedRule applied, const TrustView& view,
                    TimePoint now) {
  const Rule& rule = *applied.rule;
  Decision decision{Allow{}, std::move(applied), {}};
  switch (rule.action) {
    case Action::kDeny:
      decision.verdict = Denied(rule);
      return decision;
    case Action::kAllow:
      return decision;
    case Action::kVerify:
      break;
  }
  return Judge(reference, std::move(decision.applied), view, now).Pull();
}

Decision DecidePresent(const ImageReference& reference, const Sha256Digest& local,
                       AppliedRule applied, const TrustView& view, TimePoint now) {
  const Rule& rule = *applied.rule;
  Decision decision{Allow{}, std::move(applied), {}};
  if (rule.action == Action::kDeny) {
    decision.verdict = Denied(rule);
    return decision;
  }
  if (reference.digest() && *reference.digest() != local) {
    decision.verdict = LocalMismatch(local, *reference.digest());
    return decision;
  }
  if (rule.action == Action::kAllow) return decision;
  return Judge(reference, std::move(decision.applied), view, now).Present(local);
}

std::optional<VerifiedRecord> RecordOf(const Decision& decision, TimePoint now) {
  const auto* allow = std::get_if<Allow>(&decision.verdict);
  const Evidence& evidence = decision.evidence;
  if (allow == nullptr || !allow->digest || !evidence.tag || evidence.from_record) {
    return std::nullopt;
  }
  VerifiedRecord record{*evidence.tag, *allow->digest, {}, evidence.root, {}, now};
  for (const RoleEvidence& role : evidence.roles) {
    if (role.role == RoleName::Root()) record.root_signers = role.signed_by;
    if (std::find(evidence.vouching.begin(), evidence.vouching.end(), role.role) !=
        evidence.vouching.end()) {
      record.vouching.emplace(role.role, role.signed_by);
    }
  }
  return record;
}

}  // namespace crivet::trust
