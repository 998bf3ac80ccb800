// SPDX-License-Identifier: Apache-2.0
// What a repository of TUF 1.0 says a name is now: Repository::Current.

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "trust/decide/finding.h"
#include "trust/tuf1/repository.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kDefaultTag = "latest";
// Of each role, so that none can hide what another says.
constexpr std::size_t kMostTagsTried = 32;

template <typename T>
std::shared_ptr<const SignedPart> PartOf(std::string_view name, const T& content,
                                         const std::set<Sha256>& signers, const RoleKeys& keys) {
  SignedPart part;
  part.name = name;
  part.version = content.version();
  part.expires = content.expires();
  part.signed_by = TextsOf(signers);
  part.threshold = keys.threshold;
  return std::make_shared<const SignedPart>(std::move(part));
}

/// NameLookup answers one question. It lives for one decision.
class NameLookup {
 public:
  NameLookup(const Repository& repository, const TrustedSet::Asked& asked)
      : repository_(repository),
        asked_(asked),
        reference_(asked.reference),
        demand_(AsTuf(asked.demand)) {}

  Judgement Answer() && {
    if (!repository_.IsAnchored(demand_)) {
      return {Refusal(Reason::kUntrustedRoot,
                      "the roots of " + repository_.id().url +
                          " that this node holds do not begin with the trust's root_file"),
              {},
              false};
    }
    ExplainTop();
    Verdict verdict = Current();
    return {std::move(verdict), std::move(evidence_), true, asks_};
  }

 private:
  const Trusted& complete() const { return repository_.complete(); }

  Verdict Current() {
    if (auto refusal = NotFresh(complete())) return *std::move(refusal);
    if (reference_.NamesOtherDigest()) return DigestNotSigned();
    if (reference_.digest() && !reference_.tag()) return OfDigest(*reference_.digest());
    const std::string tag = reference_.tag().value_or(std::string(kDefaultTag));
    return OfTag(tag);
  }

  std::optional<Verdict> NotFresh(const Trusted& set) const {
    const auto expired = [&](TimePoint expires, std::chrono::seconds grace) {
      return asked_.now >= expires + grace;
    };
    constexpr std::chrono::seconds kNone{0};
    const TimePoint root = set.root().expires();
    if (expired(root, kNone)) return Expired(repository_.id(), root, asked_.failure);
    if (!repository_.uncovered().empty()) {
      // A newer root acts at once: what its keys no longer cover is gone.
      if (asked_.failure) return NoUsableSet(repository_.id(), *asked_.failure);
      return Refusal(Reason::kNoTrustData,
                     "the " + repository_.uncovered() + " at hand is signed by keys that root " +
                         "version " + std::to_string(set.root().version()) + " took away");
    }
    for (const TimePoint expires :
         {set.timestamp->content->expires(), set.snapshot->content->expires()}) {
      if (expired(expires, demand_.grace)) {
        return Expired(repository_.id(), expires, asked_.failure);
      }
    }
    return std::nullopt;
  }

  Search::Question QuestionFor(const std::string& name) const {
    return {.name = name, .now = asked_.now, .signers = demand_.signers};
  }

  // What the set says of a name. Where a role of the newest set could not be had, the set before
  // answers, while it lasts (trust/tuf1/FORMAT.md#what-is-kept).
  Search::Outcome Look(const std::string& name, const Trusted** from) {
    *from = &complete();
    Search::Outcome outcome = repository_.Look(complete(), QuestionFor(name), demand_);
    const auto& before = repository_.holding().before;
    const bool tried = asked_.failure != nullptr || asked_.local != nullptr;
    if (!std::holds_alternative<Search::Missing>(outcome) || !before || !tried) return outcome;
    if (*before->roots.rbegin() != *complete().roots.rbegin() || NotFresh(*before)) return outcome;
    Search::Outcome earlier = repository_.Look(*before, QuestionFor(name), demand_);
    const bool answers = std::holds_alternative<Search::Found>(earlier) ||
                         std::holds_alternative<Search::NotFound>(earlier);
    if (!answers) return outcome;
    *from = before.get();
    return earlier;
  }

  // A refusal where the search did not end.
  std::optional<Verdict> NotEnded(const Search::Outcome& outcome) {
    if (const auto* missing = std::get_if<Search::Missing>(&outcome)) {
      asks_ = asked_.local == nullptr;
      if (asked_.failure) return NoUsableSet(repository_.id(), *asked_.failure);
      return Refusal(Reason::kNoTrustData, "the role " + missing->file.role +
                                               ", which may know the name, has not been read yet");
    }
    if (const auto* failed = std::get_if<Search::Failed>(&outcome)) {
      return Refusal(failed->error.reason, failed->error.detail);
    }
    return std::nullopt;
  }

  Verdict OfTag(const std::string& tag) {
    const std::string name = demand_.NameOfTag(reference_, tag);
    const Trusted* from = nullptr;
    const Search::Outcome outcome = Look(name, &from);
    if (auto refusal = NotEnded(outcome)) return *std::move(refusal);
    if (const auto* nobody = std::get_if<Search::NotFound>(&outcome)) {
      Asked(*from, nobody->asked, {});
      return TakenBack() ? Withdrawn(evidence_) : TagNotSigned(evidence_);
    }
    const auto& found = std::get<Search::Found>(outcome);
    Asked(*from, found.asked, found.hits);
    auto digest = DigestIn(found, tag);
    if (!digest) return std::move(digest.error());
    if (reference_.digest() && *reference_.digest() != *digest) return DigestMismatch(*digest);
    return Vouch(*from, name, found, *digest, tag);
  }

  // (2) and (3) of trust/tuf1/FORMAT.md#names: (1), a record, is for whoever asks.
  Verdict OfDigest(const Sha256Digest& digest) {
    const std::optional<std::string> name = demand_.NameOf(reference_);
    if (name) {
      const Trusted* from = nullptr;
      const Search::Outcome outcome = Look(*name, &from);
      if (auto refusal = NotEnded(outcome)) return *std::move(refusal);
      if (const auto* found = std::get_if<Search::Found>(&outcome)) {
        Asked(*from, found->asked, found->hits);
        auto named = DigestIn(*found, *name);
        if (!named) return std::move(named.error());
        if (*named != digest) {
          return EntryUnusable(*PartNamed(found->hits.front().role), *name,
                               "it has another sha256 than its name");
        }
        return Vouch(*from, *name, *found, digest, std::nullopt);
      }
    }
    if (auto vouched = OfSomeTag(digest)) return *std::move(vouched);
    return WithNote(DigestNotSigned(), name ? "a target " + *name + " would name it"
                                            : "the rule has no digest_target");
  }

  std::optional<Verdict> OfSomeTag(const Sha256Digest& digest) {
    const std::string prefix = demand_.NameOfTag(reference_, "");
    for (const auto& [role, file] : complete().roles) {
      if (IsBin(role)) continue;
      std::size_t tried = 0;
      for (const std::string_view name : file.content->NamesOf(digest.bytes())) {
        if (!name.starts_with(prefix)) continue;
        const std::string tag(name.substr(prefix.size()));
        if (!reference_.WithTag(tag)) continue;
        if (++tried > kMostTagsTried) break;
        const std::string target(name);
        const Search::Outcome outcome = repository_.Look(complete(), QuestionFor(target), demand_);
        const auto* found = std::get_if<Search::Found>(&outcome);
        if (found == nullptr) continue;
        const auto named = DigestIn(*found, tag);
        if (!named || *named != digest) continue;
        Asked(complete(), found->asked, found->hits);
        return Vouch(complete(), target, *found, digest, tag);
      }
    }
    return std::nullopt;
  }

  // Bins are never enumerated: which of them are here says nothing of the names in the others.
  bool IsBin(const std::string& role) const {
    return std::any_of(complete().roles.begin(), complete().roles.end(), [&](const auto& file) {
      const auto& delegations = file.second.content->delegations();
      return delegations && delegations->bins() && delegations->bins()->Has(role);
    });
  }

  // What the first role says, where the rule takes it and all signers agree.
  tl::expected<Sha256Digest, Verdict> DigestIn(const Search::Found& found, const std::string& tag) {
    const Hit& first = found.hits.front();
    const auto& roles = demand_.roles;
    if (!roles.empty() && std::find(roles.begin(), roles.end(), first.role) == roles.end()) {
      return tl::unexpected(
          Refusal(Reason::kTagNotSigned,
                  "it is signed by " + first.role + ", which is none of the rule's roles"));
    }
    const auto digest = DigestOf(*first.entry);
    if (!digest) {
      return tl::unexpected(EntryUnusable(*PartNamed(first.role), tag, FaultOf(*first.entry)));
    }
    std::vector<SignerFinding> others;
    for (const std::string& signer : demand_.signers) {
      const auto hit = std::find_if(found.hits.begin(), found.hits.end(),
                                    [&](const Hit& one) { return one.role == signer; });
      if (hit == found.hits.end()) {
        others.push_back({signer, std::nullopt});
      } else if (DigestOf(*hit->entry) != digest) {
        others.push_back({signer, DigestOf(*hit->entry), FaultOf(*hit->entry)});
      }
    }
    if (!others.empty()) return tl::unexpected(SignersDisagree(*digest, others));
    return *digest;
  }

  static std::optional<Sha256Digest> DigestOf(const TargetEntry& entry) {
    if (entry.fault || !entry.hashes.sha256) return std::nullopt;
    return Sha256Digest(*entry.hashes.sha256);
  }

  static std::string_view FaultOf(const TargetEntry& entry) {
    if (entry.fault) return WordsOf(*entry.fault);
    return entry.hashes.sha256 ? std::string_view() : WordsOf(EntryFault::kNoSha256);
  }

  bool TakenBack() const {
    return asked_.records != nullptr &&
           std::any_of(asked_.records->begin(), asked_.records->end(),
                       [&](const VerifiedRecord& record) {
                         return !record.tag.empty() &&
                                record.tag == reference_.tag().value_or(std::string(kDefaultTag)) &&
                                repository_.IsOf(record, reference_, demand_);
                       });
  }

  Verdict Vouch(const Trusted& from, const std::string& name, const Search::Found& found,
                const Sha256Digest& digest, std::optional<std::string> tag) {
    RecordName record{name, {}};
    for (const Hit& hit : found.hits) {
      std::vector<std::string> way;
      for (const Link& link : hit.chain) {
        way.push_back(link.role);
        auto& vouching = evidence_.vouching;
        if (std::find(vouching.begin(), vouching.end(), link.role) == vouching.end()) {
          vouching.push_back(link.role);
        }
      }
      record.ways.push_back(std::move(way));
    }
    evidence_.tag = std::move(tag);
    evidence_.name = record.Text();
    if (&from == &complete()) repository_.holding().uses->Touch(found.asked);
    return Allow{digest};
  }

  const SignedPart* PartNamed(const std::string& role) const {
    for (const auto& part : evidence_.parts) {
      if (part->name == role) return part.get();
    }
    static const SignedPart none;
    return &none;
  }

  void ExplainTop() {
    const Verified<Root>& root = repository_.holding().newest.roots.back();
    evidence_.anchor = root.signed_sha256;
    evidence_.verified_at = repository_.verified_at();
    const Root& keys = *root.content;
    evidence_.parts.push_back(PartOf(kRoot, keys, root.signers, keys.KeysOf(kRoot)));
    const Verified<Timestamp>& timestamp = *complete().timestamp;
    evidence_.parts.push_back(
        PartOf(kTimestamp, *timestamp.content, timestamp.signers, keys.KeysOf(kTimestamp)));
    const Verified<Snapshot>& snapshot = *complete().snapshot;
    evidence_.parts.push_back(
        PartOf(kSnapshot, *snapshot.content, snapshot.signers, keys.KeysOf(kSnapshot)));
    evidence_.asked_begin = evidence_.asked_end = evidence_.parts.size();
  }

  // Adds the roles that a search read, each with who signed it for the delegation it was reached
  // through.
  void Asked(const Trusted& set, const std::vector<std::string>& roles,
             const std::vector<Hit>& hits) {
    evidence_.parts.resize(evidence_.asked_begin);
    for (const std::string& role : roles) {
      const Verified<Targets>& file = set.roles.find(role)->second;
      evidence_.parts.push_back(
          PartOf(role, *file.content, SignersFor(set, role, hits), *KeysFor(set, role, hits)));
    }
    evidence_.asked_end = evidence_.parts.size();
  }

  static const std::string* DelegatorOf(const std::string& role, const std::vector<Hit>& hits) {
    for (const Hit& hit : hits) {
      for (const Link& link : hit.chain) {
        if (link.role == role) return &link.delegator;
      }
    }
    return nullptr;
  }

  static std::set<Sha256> SignersFor(const Trusted& set, const std::string& role,
                                     const std::vector<Hit>& hits) {
    const Verified<Targets>& file = set.roles.find(role)->second;
    const std::string* const delegator = DelegatorOf(role, hits);
    if (delegator == nullptr) return file.signers;
    const Sha256& from =
        *delegator == kRoot ? set.roots.back().sha256 : set.roles.find(*delegator)->second.sha256;
    const auto accepted = set.accepted.find({from, role});
    return accepted == set.accepted.end() ? file.signers : accepted->second.signers;
  }

  static const RoleKeys* KeysFor(const Trusted& set, const std::string& role,
                                 const std::vector<Hit>& hits) {
    static const RoleKeys unknown;
    if (role == kTargets) return &set.root().KeysOf(kTargets);
    const std::string* const delegator = DelegatorOf(role, hits);
    if (delegator == nullptr) return &unknown;
    const auto& delegations = set.roles.find(*delegator)->second.content->delegations();
    const RoleKeys* const keys = delegations ? delegations->KeysOf(role) : nullptr;
    return keys == nullptr ? &unknown : keys;
  }

  const Repository& repository_;
  const TrustedSet::Asked& asked_;
  const ImageReference& reference_;
  const TufDemand& demand_;
  Evidence evidence_;
  bool asks_ = false;
};

}  // namespace

Judgement Repository::Current(const Asked& asked) const {
  return NameLookup(*this, asked).Answer();
}

}  // namespace crivet::trust::tuf1
