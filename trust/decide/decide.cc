// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/decide.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "trust/decide/finding.h"
#include "trust/decide/kind.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kDefaultTag = "latest";
// Tags of one repository that had the digest. One that stands comes first, as a rule.
constexpr std::size_t kMostRecordsAsked = 64;

bool Allows(const Decision& decision) { return std::holds_alternative<Allow>(decision.verdict); }

/// Judge decides about one reference under one member of a verify rule. It lives for one decision.
class Judge {
 public:
  Judge(const ImageReference& reference, AppliedRule applied, const TrustView& view, TimePoint now,
        std::size_t member)
      : reference_(reference),
        applied_(std::move(applied)),
        rule_(*applied_.rule),
        member_(member),
        view_(view),
        now_(now) {}

  Decision Pull() && {
    Verdict verdict = Current(nullptr);
    // A tag is what is signed now. A digest that was verified here survives that its tag moves on.
    const bool by_digest_alone = reference_.digest() && !reference_.tag();
    if (by_digest_alone && !std::holds_alternative<Allow>(verdict)) {
      verdict = OnRecord(*reference_.digest(), std::move(verdict));
    }
    return std::move(*this).Finish(std::move(verdict));
  }

  Decision Present(const Sha256Digest& local) && {
    Verdict verdict = Current(&local);
    const auto* allow = std::get_if<Allow>(&verdict);
    if (allow == nullptr || allow->digest != local) {
      if (allow != nullptr) verdict = LocalMismatch(local, allow->digest.value());
      // What vouches for the other digest is no evidence for this one.
      evidence_.vouching.clear();
      evidence_.name.clear();
      evidence_.tag.reset();
      verdict = OnRecord(local, std::move(verdict));
    }
    return std::move(*this).Finish(std::move(verdict));
  }

 private:
  const Demand& demand() const { return *rule_.members[member_].demand; }
  // The reference, as the member knows it.
  const ImageReference& name() const { return applied_.NameFor(member_, reference_); }

  // What is signed now says, records left aside.
  Verdict Current(const Sha256Digest* local) {
    const std::optional<CollectionId>& id = applied_.collections[member_];
    const Kind& kind = *rule_.members[member_].kind;
    if (!rule_.members[member_].unusable.empty()) return Unusable(rule_.members[member_]);
    if (!id) return NoCollection(kind.signed_as_key());
    asks_ = !view_.set && kind.asks() == Kind::Asks::kNames;
    if (!view_.set) return view_.failure ? NoUsableSet(*id, *view_.failure) : NotReadYet(*id);
    Judgement judgement =
        view_.set->Current({.reference = name(),
                            .demand = demand(),
                            .records = view_.records.get(),
                            .failure = view_.failure.get(),
                            .now = now_,
                            .present_max_age = rule_.present_max_age,
                            .confirmed_within = ConfirmedWithin(rule_, view_.confirmed_within),
                            .local = local,
                            .name_here = view_.name_here,
                            .named = local || !view_.named ? nullptr : &*view_.named,
                            .answer = view_.answer.get()});
    evidence_ = std::move(judgement.evidence);
    readable_ = judgement.readable;
    asks_ = judgement.asks;
    return std::move(judgement.verdict);
  }

  // Whether what this node verified earlier vouches for `digest` under the name; `otherwise` is
  // the verdict without records.
  Verdict OnRecord(const Sha256Digest& digest, Verdict otherwise) {
    if (!readable_ || view_.records == nullptr || rule_.present == Present::kCurrent) {
      return otherwise;
    }
    // Records of such a kind say nothing that what is kept of its signatures does not.
    const bool by_registry = rule_.members[member_].kind->asks() == Kind::Asks::kNames;
    if (by_registry && ConfirmedWithin(rule_, view_.confirmed_within).count() > 0) return otherwise;
    // Such a name has no digest that a record could have, and is not its `latest` either.
    if (reference_.NamesOtherDigest()) return otherwise;
    const bool any_tag = reference_.digest() && !reference_.tag();
    const std::string_view tag =
        reference_.tag() ? std::string_view(*reference_.tag()) : kDefaultTag;
    bool withdrawn = false;
    bool refused = false;
    std::size_t asked = 0;
    for (const VerifiedRecord& record : *view_.records) {
      if (record.digest != digest || (!any_tag && record.tag != tag)) continue;
      if (!view_.set->IsOf(record, name(), demand())) continue;
      // What a record stands on may take a search; one that was withdrawn takes none.
      if (!IsWithdrawn(record) && ++asked > kMostRecordsAsked) break;
      switch (view_.set->StandingOf(record, demand(), now_)) {
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
    // Only where nothing is signed for the name: a tag that moved on was not withdrawn.
    const auto* deny = std::get_if<Deny>(&otherwise);
    const bool nothing_signed = deny != nullptr && (deny->reason == Reason::kTagNotSigned ||
                                                    deny->reason == Reason::kDigestNotSigned);
    if (withdrawn && nothing_signed) return Withdrawn(evidence_);
    if (refused) return WithNote(std::move(otherwise), RecordNotAccepted());
    return otherwise;
  }

  Verdict BySoundRecord(const VerifiedRecord& record, Verdict otherwise) {
    if (rule_.present_max_age.count() > 0) {
      const TimePoint counts_until = view_.set->verified_at() + rule_.present_max_age;
      if (now_ > counts_until) return WithNote(std::move(otherwise), RecordTooOld(counts_until));
    }
    evidence_.from_record = true;
    if (!record.tag.empty()) evidence_.tag = record.tag;
    return Allow{record.digest};
  }

  Decision Finish(Verdict verdict) && {
    if (!std::holds_alternative<Allow>(verdict) && view_.failure) {
      evidence_.why = view_.failure->why;
    }
    const bool asks = asks_ && !std::holds_alternative<Allow>(verdict);
    Decision decision{std::move(verdict), std::move(applied_), std::move(evidence_), member_};
    decision.asks = asks;
    return decision;
  }

  const ImageReference& reference_;
  AppliedRule applied_;
  const Rule& rule_;
  const std::size_t member_;
  const TrustView& view_;
  TimePoint now_;
  Evidence evidence_;
  bool readable_ = false;
  bool asks_ = false;
};

std::optional<VerifiedRecord> RecordOn(const Sha256Digest& digest, const Evidence& evidence,
                                       TimePoint now) {
  const bool named = evidence.tag || !evidence.name.empty();
  if (!named || evidence.from_record || evidence.parts.empty()) return std::nullopt;
  VerifiedRecord record{evidence.tag.value_or(""),         digest, {},           evidence.anchor,
                        evidence.parts.front()->signed_by, now,    evidence.name};
  for (const auto& part : evidence.parts) {
    if (std::find(evidence.vouching.begin(), evidence.vouching.end(), part->name) !=
        evidence.vouching.end()) {
      record.vouching.emplace(part->name, part->signed_by);
    }
  }
  return record;
}

std::string FoundBy(const Decision& decision) {
  const std::optional<WhyRefused> why = RefusalOf(decision.verdict);
  return decision.applied.rule->members[decision.member].trust + ": " +
         (why ? why->found + " (" + std::string(CodeOf(why->reason)) + ")" : "");
}

// The refusal that is given for several: `which` is the one whose reason it bears; every member's
// own is told in the order of the rule.
Decision Refused(std::vector<Decision> members, std::size_t which) {
  std::string found;
  for (const Decision& member : members) {
    if (Allows(member)) continue;
    if (!found.empty()) found += "; ";
    found += FoundBy(member);
  }
  Decision decision = std::move(members[which]);
  if (auto* deny = std::get_if<Deny>(&decision.verdict)) {
    deny->found = std::move(found);
  } else if (auto* away = std::get_if<Unavailable>(&decision.verdict)) {
    away->found = std::move(found);
  }
  return decision;
}

template <typename Verdict>
std::optional<std::size_t> FirstWith(const std::vector<Decision>& members) {
  const auto found = std::find_if(members.begin(), members.end(), [](const Decision& member) {
    return std::holds_alternative<Verdict>(member.verdict);
  });
  if (found == members.end()) return std::nullopt;
  return static_cast<std::size_t>(found - members.begin());
}

// trust/RULES.md#several-trusts: the first that allows; with none, Unavailable before Deny: a
// member that could not be asked might have allowed.
Decision AnyOf(std::vector<Decision> members) {
  if (const auto allowed = FirstWith<Allow>(members)) return std::move(members[*allowed]);
  if (const auto away = FirstWith<Unavailable>(members)) return Refused(std::move(members), *away);
  return Refused(std::move(members), 0);
}

// trust/RULES.md#several-trusts: every member, for one digest; Deny before Unavailable: whoever
// answers later cannot make up for a member that refuses.
Decision AllOf(std::vector<Decision> members) {
  if (const auto denied = FirstWith<Deny>(members)) return Refused(std::move(members), *denied);
  if (const auto away = FirstWith<Unavailable>(members)) return Refused(std::move(members), *away);
  std::vector<MemberEvidence> others;
  for (std::size_t i = 1; i < members.size(); ++i) {
    const auto& first = std::get<Allow>(members.front().verdict).digest;
    const auto& other = std::get<Allow>(members[i].verdict).digest;
    if (first != other) {
      const auto& named = members.front().applied.rule->members;
      members.front().verdict = TrustsDisagree(named[members.front().member].trust, *first,
                                               named[members[i].member].trust, *other);
      return std::move(members.front());
    }
    others.push_back({members[i].member, std::move(members[i].evidence)});
  }
  members.front().others = std::move(others);
  return std::move(members.front());
}

}  // namespace

Decision DecidePull(const ImageReference& reference, AppliedRule applied, const TrustView& view,
                    TimePoint now, std::size_t member) {
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
  return Judge(reference, std::move(decision.applied), view, now, member).Pull();
}

Decision DecidePresent(const ImageReference& reference, const Sha256Digest& local,
                       AppliedRule applied, const TrustView& view, TimePoint now,
                       std::size_t member) {
  const Rule& rule = *applied.rule;
  Decision decision{Allow{}, std::move(applied), {}, member};
  if (rule.action == Action::kDeny) {
    decision.verdict = Denied(rule);
    return decision;
  }
  if (reference.digest() && *reference.digest() != local) {
    decision.verdict = LocalMismatch(local, *reference.digest());
    return decision;
  }
  if (rule.action == Action::kAllow) return decision;
  return Judge(reference, std::move(decision.applied), view, now, member).Present(local);
}

Decision Combined(std::vector<Decision> members) {
  if (members.size() == 1) return std::move(members.front());
  return members.front().applied.rule->combine == Combine::kAnyOf ? AnyOf(std::move(members))
                                                                  : AllOf(std::move(members));
}

Evidence::Binding BindingOf(const Decision& decision) {
  using Binding = Evidence::Binding;
  const bool by_registry =
      decision.evidence.binding == Binding::kRegistry &&
      std::all_of(decision.others.begin(), decision.others.end(), [](const MemberEvidence& other) {
        return other.evidence.binding == Binding::kRegistry;
      });
  return by_registry ? Binding::kRegistry : Binding::kSigned;
}

std::optional<VerifiedRecord> RecordOf(const Decision& decision, TimePoint now) {
  const auto* allow = std::get_if<Allow>(&decision.verdict);
  if (allow == nullptr || !allow->digest) return std::nullopt;
  return RecordOn(*allow->digest, decision.evidence, now);
}

std::vector<MemberRecord> RecordsOf(const Decision& decision, TimePoint now) {
  std::vector<MemberRecord> records;
  const auto* allow = std::get_if<Allow>(&decision.verdict);
  if (allow == nullptr || !allow->digest) return records;
  const auto add = [&](std::size_t member, const Evidence& evidence) {
    auto record = RecordOn(*allow->digest, evidence, now);
    if (record) records.push_back({member, *std::move(record)});
  };
  add(decision.member, decision.evidence);
  for (const MemberEvidence& other : decision.others) add(other.member, other.evidence);
  return records;
}

}  // namespace crivet::trust
