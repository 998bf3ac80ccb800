// SPDX-License-Identifier: Apache-2.0
// What a repository of TUF 1.0 says a name is now: Repository::Current.

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "trust/base/quoted.h"
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
                          " that this node holds do not begin with one that the trust pins"),
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

  // The set before, where it may answer for a role of the newest that could not be had, while it
  // lasts (trust/tuf1/FORMAT.md#what-is-kept).
  const Trusted* Earlier() const {
    const auto& before = repository_.holding().before;
    const bool tried = asked_.failure != nullptr || asked_.local != nullptr;
    if (!before || !tried) return nullptr;
    if (*before->roots.rbegin() != *complete().roots.rbegin() || NotFresh(*before)) return nullptr;
    return before.get();
  }

  // What the set says of a name.
  Search::Outcome Look(const std::string& name, const Trusted** from) {
    *from = &complete();
    Search::Outcome outcome = repository_.Look(complete(), QuestionFor(name), demand_);
    if (!std::holds_alternative<Search::Missing>(outcome)) return outcome;
    const Trusted* const before = Earlier();
    if (before == nullptr) return outcome;
    Search::Outcome earlier = repository_.Look(*before, QuestionFor(name), demand_);
    const bool answers = std::holds_alternative<Search::Found>(earlier) ||
                         std::holds_alternative<Search::NotFound>(earlier);
    if (!answers) return outcome;
    *from = before;
    return earlier;
  }

  // The same for the roles that may list its tags.
  TagRoles LookForTags(const std::string& prefix, const Trusted** from) {
    *from = &complete();
    TagRoles roles = repository_.RolesOfTags(complete(), prefix, asked_.now, demand_);
    if (!roles.missing || !roles.in_bins.empty()) return roles;
    const Trusted* const before = Earlier();
    if (before == nullptr) return roles;
    TagRoles earlier = repository_.RolesOfTags(*before, prefix, asked_.now, demand_);
    if (earlier.missing || earlier.failed) return roles;
    *from = before;
    return earlier;
  }

  // A refusal where the search did not end.
  std::optional<Verdict> NotEnded(const Search::Outcome& outcome) {
    if (const auto* missing = std::get_if<Search::Missing>(&outcome)) {
      asks_ = asked_.local == nullptr;
      if (asked_.failure) return NoUsableSet(repository_.id(), *asked_.failure);
      return Refusal(Reason::kNoTrustData, "the role " + Quoted(missing->file.role) +
                                               ", which may know the name, has not been read yet");
    }
    if (const auto* failed = std::get_if<Search::Failed>(&outcome)) {
      return Refusal(failed->error.reason, failed->error.detail);
    }
    return std::nullopt;
  }

  std::optional<Verdict> NotEnded(const TagRoles& roles) {
    if (roles.missing) return NotEnded(Search::Outcome(Search::Missing{*roles.missing}));
    if (roles.failed) return NotEnded(Search::Outcome(*roles.failed));
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
    return OfSomeTag(digest, name);
  }

  // Whatever other names have been asked for: every role that may list a tag of the image is here,
  // or there is no answer. What the node has is judged by what is here.
  Verdict OfSomeTag(const Sha256Digest& digest, const std::optional<std::string>& name) {
    const std::string prefix = demand_.NameOfTag(reference_, "");
    const Trusted* from = nullptr;
    const TagRoles roles = LookForTags(prefix, &from);
    const std::string advice = name ? "a target " + *name + " would name it"
                                    : std::string("the rule has no digest_target");
    if (!roles.in_bins.empty()) {
      return WithNote(DigestNotSigned(), Quoted(roles.in_bins) +
                                             " hands its tags out to bins, which are " +
                                             "not searched for a digest; " + advice);
    }
    std::optional<Verdict> open = NotEnded(roles);
    if (open && asked_.local == nullptr) return *std::move(open);
    Asked(*from, roles.here, {});
    MatchWork work;
    for (const std::string& role : roles.here) {
      auto vouched = OfSomeTagIn(role, *from, digest, prefix, work, open);
      if (vouched) return *std::move(vouched);
    }
    if (open) return *std::move(open);
    return WithNote(DigestNotSigned(), advice);
  }

  // `open` is set where a tag was not looked at to the end.
  std::optional<Verdict> OfSomeTagIn(const std::string& role, const Trusted& from,
                                     const Sha256Digest& digest, const std::string& prefix,
                                     MatchWork& work, std::optional<Verdict>& open) {
    const Targets& targets = *from.roles.find(role)->second.content;
    const auto names = targets.NamesOf(digest.bytes(), prefix, kMostTagsTried + 1);
    for (std::size_t i = 0; i < std::min(names.size(), kMostTagsTried); ++i) {
      const std::string name(names[i]);
      const std::string tag = name.substr(prefix.size());
      if (!reference_.WithTag(tag)) continue;
      Search::Question question = QuestionFor(name);
      question.work = &work;
      const Search::Outcome outcome = repository_.Look(from, question, demand_);
      if (auto not_ended = NotEnded(outcome); not_ended && !open) open = std::move(not_ended);
      const auto* found = std::get_if<Search::Found>(&outcome);
      if (found == nullptr) continue;
      const auto named = DigestIn(*found, tag);
      if (!named || *named != digest) continue;
      Asked(from, found->asked, found->hits);
      return Vouch(from, name, *found, digest, tag);
    }
    if (names.size() > kMostTagsTried && !open) {
      open = Refusal(Reason::kTooMany, Quoted(role) + " lists more than " +
                                           std::to_string(kMostTagsTried) +
                                           " tags with that digest, and of those the first are " +
                                           "other roles' to say");
    }
    return std::nullopt;
  }

  // What the first role says, where the rule takes it and all signers agree.
  tl::expected<Sha256Digest, Verdict> DigestIn(const Search::Found& found, const std::string& tag) {
    const Hit& first = found.hits.front();
    const auto& roles = demand_.roles;
    if (!roles.empty() && std::find(roles.begin(), roles.end(), first.role) == roles.end()) {
      return tl::unexpected(
          Refusal(Reason::kTagNotSigned,
                  "it is signed by " + Quoted(first.role) + ", which is none of the rule's roles"));
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
