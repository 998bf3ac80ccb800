// SPDX-License-Identifier: Apache-2.0
// What a Notary v1 collection says a name is now: Repository::Current.

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/decide/finding.h"
#include "trust/notary/notary_demand.h"
#include "trust/notary/repository.h"
#include "trust/notary/repository_parts.h"
#include "trust/tuf/age.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kDefaultTag = "latest";

/// Entry is the result of looking a tag up: what the first role of the rule's order that lists it
/// says. An entry that cannot be used decides like any other: a later role is not asked.
struct Entry {
  RoleName role;
  tl::expected<Sha256Digest, EntryFault> digest;
};

/// TagLookup answers one question. It lives for one decision.
class TagLookup {
 public:
  TagLookup(const Repository& repository, const TrustedSet::Asked& asked)
      : repository_(repository),
        asked_(asked),
        reference_(asked.reference),
        demand_(AsNotary(asked.demand)) {}

  Judgement Answer() && {
    if (auto refusal = NotReadable()) return {*std::move(refusal), {}, false};
    Explain();
    Verdict verdict = Current();
    return {std::move(verdict), std::move(evidence_), true};
  }

 private:
  // Sets match_ where the set may be read.
  std::optional<Verdict> NotReadable() {
    // A set that was read for other roles says nothing of these: one of them may be delegated.
    const auto was_read = [this](const RoleName& role) {
      return repository_.roles_read().contains(role);
    };
    const bool read = std::all_of(demand_.roles.begin(), demand_.roles.end(), was_read) &&
                      std::all_of(demand_.signers.begin(), demand_.signers.end(), was_read);
    if (!read) {
      return asked_.failure ? NoUsableSet(repository_.id(), *asked_.failure)
                            : NotReadYet(repository_.id());
    }
    // The set may be there because of another rule's pin; this one has to anchor it too.
    match_ = repository_.Match(demand_.root, asked_.now);
    if (!match_) return UntrustedRoot(repository_.id());
    return std::nullopt;
  }

  Verdict Current() {
    if (auto refusal = NotFresh()) return *std::move(refusal);
    if (reference_.NamesOtherDigest()) return DigestNotSigned();
    if (reference_.digest() && !reference_.tag()) return OfAnyTag(*reference_.digest());
    return OfTag(reference_.tag() ? std::string_view(*reference_.tag()) : kDefaultTag);
  }

  std::optional<Verdict> NotFresh() const {
    const std::vector<RoleName> with_signers =
        demand_.signers.empty() ? std::vector<RoleName>() : demand_.RolesRead();
    const std::vector<RoleName>& read = demand_.signers.empty() ? demand_.roles : with_signers;
    const auto fresh = repository_.CheckFresh(read, asked_.now, demand_.grace);
    if (fresh) return std::nullopt;
    if (fresh.error().reason == Reason::kExpired) {
      return Expired(repository_.id(), repository_.ExpiresWith(read), asked_.failure);
    }
    // A newer root acts at once: what its keys no longer cover is gone.
    if (asked_.failure) return NoUsableSet(repository_.id(), *asked_.failure);
    return Refusal(fresh.error().reason, fresh.error().detail);
  }

  // trust/RULES.md#tags: exactly the rule's roles, in its order; the first that lists the tag
  // decides.
  std::optional<Entry> Find(std::string_view tag) const {
    for (const RoleName& role : demand_.roles) {
      if (const auto digest = repository_.Lookup(role, tag)) return Entry{role, *digest};
      if (const auto fault = repository_.FaultOf(role, tag)) {
        return Entry{role, tl::unexpected(*fault)};
      }
    }
    return std::nullopt;
  }

  bool SignersAgree(std::string_view tag, const Sha256Digest& digest) const {
    return std::all_of(demand_.signers.begin(), demand_.signers.end(), [&](const RoleName& signer) {
      return repository_.Lookup(signer, tag) == digest;
    });
  }

  std::vector<SignerFinding> OtherSigners(std::string_view tag, const Sha256Digest& digest) const {
    std::vector<SignerFinding> others;
    for (const RoleName& signer : demand_.signers) {
      const auto named = repository_.Lookup(signer, tag);
      if (named == digest) continue;
      const auto fault = repository_.FaultOf(signer, tag);
      others.push_back({signer.text(), named, fault ? WordsOf(*fault) : std::string_view()});
    }
    return others;
  }

  bool TakenBack(std::string_view tag) const {
    if (asked_.records == nullptr) return false;
    std::vector<std::string> roles;
    for (const RoleName& role : demand_.roles) roles.push_back(role.text());
    return WasTakenBack(*asked_.records, tag, roles);
  }

  Verdict OfTag(std::string_view tag) {
    const auto entry = Find(tag);
    if (!entry) return TakenBack(tag) ? Withdrawn(evidence_) : TagNotSigned(evidence_);
    if (!entry->digest) {
      return EntryUnusable(*repository_.PartOf(entry->role), tag, WordsOf(entry->digest.error()));
    }
    const Sha256Digest digest = *entry->digest;
    if (!SignersAgree(tag, digest)) return SignersDisagree(digest, OtherSigners(tag, digest));
    if (reference_.digest() && *reference_.digest() != digest) return DigestMismatch(digest);
    return Vouch(tag, entry->role, digest);
  }

  // trust/RULES.md#digests: the result of looking some tag up. An entry that an earlier role
  // shadows, or that the signers do not share, is not signed.
  Verdict OfAnyTag(const Sha256Digest& digest) {
    for (const RoleName& role : demand_.roles) {
      const Targets* targets = repository_.Find(role);
      if (targets == nullptr) continue;
      for (const std::string_view tag : targets->TagsOf(digest)) {
        const auto entry = Find(tag);
        if (entry && entry->digest == digest && SignersAgree(tag, digest)) {
          return Vouch(tag, entry->role, digest);
        }
      }
    }
    return DigestNotSigned();
  }

  Verdict Vouch(std::string_view tag, const RoleName& role, const Sha256Digest& digest) {
    evidence_.tag = tag;
    evidence_.vouching.push_back(role.text());
    for (const RoleName& signer : demand_.signers) {
      if (signer != role) evidence_.vouching.push_back(signer.text());
    }
    return Allow{digest};
  }

  // Fills the evidence that does not depend on the verdict.
  void Explain() {
    const RootLink& newest = repository_.chain().back();
    evidence_.anchor = newest.signed_sha256;
    evidence_.verified_at = repository_.verified_at();
    if (!match_->newest) evidence_.pin_instead = repository_.PinInstead();
    evidence_.parts.reserve(3 + demand_.roles.size() + demand_.signers.size());
    for (const RoleName& role : {RoleName::Root(), RoleName::Timestamp(), RoleName::Snapshot()}) {
      evidence_.parts.push_back(repository_.PartOf(role));
    }
    evidence_.asked_begin = evidence_.parts.size();
    for (const RoleName& role : demand_.roles) evidence_.parts.push_back(repository_.PartOf(role));
    evidence_.asked_end = evidence_.parts.size();
    for (const RoleName& signer : demand_.signers) {
      const auto& roles = demand_.roles;
      if (std::find(roles.begin(), roles.end(), signer) == roles.end()) {
        evidence_.parts.push_back(repository_.PartOf(signer));
      }
    }
  }

  const Repository& repository_;
  const TrustedSet::Asked& asked_;
  const ImageReference& reference_;
  const NotaryDemand& demand_;
  std::optional<PinMatch> match_;
  Evidence evidence_;
};

}  // namespace

Judgement Repository::Current(const Asked& asked) const { return TagLookup(*this, asked).Answer(); }

}  // namespace crivet::trust
