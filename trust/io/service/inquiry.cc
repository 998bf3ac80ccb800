// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: the steps of one question, each of which goes on where the last one ended.
#include "trust/io/service/inquiry.h"

#include <algorithm>
#include <utility>

#include "trust/decide/decide.h"

namespace crivet::trust {
namespace {

constexpr std::chrono::seconds kMissRemembered{30};
// A refresh that fails for want of an answer ends at the timeout: what it found is said then,
// rather than that it has not ended.
constexpr std::chrono::milliseconds kForTheLastWord{500};

bool Allows(const Decision& decision) { return std::holds_alternative<Allow>(decision.verdict); }

// What is said of a server that has not answered while somebody waited.
std::shared_ptr<const RefreshFailure> TimedOut() {
  static const auto failure = std::make_shared<const RefreshFailure>(
      RefreshFailure{{Reason::kUnreachable, "no answer in time"},
                     "",
                     NetworkCause::kTimeout,
                     false,
                     std::nullopt});
  return failure;
}

// How long ago the set was verified; nothing where that is not known, or lies ahead.
std::optional<std::chrono::seconds> AgeOf(const RepositorySlot::Seen& seen, TimePoint now,
                                          SinceBoot since_boot) {
  if (!seen.view.set) return std::nullopt;
  if (seen.verified) return since_boot - *seen.verified;
  const std::chrono::seconds age = now - seen.view.set->verified_at();
  return age.count() < 0 ? std::nullopt : std::optional(age);
}

Decision Decided(const Question& question, const AppliedRule& applied, std::size_t member,
                 const TrustView& view, TimePoint now) {
  return question.local
             ? DecidePresent(question.reference, *question.local, applied, view, now, member)
             : DecidePull(question.reference, applied, view, now, member);
}

}  // namespace

Inquiry::Inquiry(ServiceEngine& engine, Question question, Answered done)
    : engine_(engine),
      question_(std::move(question)),
      secret_(question_.reference, question_.credentials),
      done_(std::move(done)) {}

void Inquiry::Advance() {
  std::optional<Decision> answer;
  {
    const std::lock_guard lock(mutex_);
    while (!answered_ && !answer) {
      std::vector<Look> looks = LookAtAll(Patience::kLeft);
      answer = AnswerIn(looks);
      if (!(answer && Allows(*answer)) && WaitForChangedFiles()) return;
      if (!answer && WaitFor(looks)) return;
    }
    if (answer) NoteWaits(*answer);
  }
  if (answer) Answer(*std::move(answer));
}

void Inquiry::AnswerNow() {
  if (answered_) return;
  std::optional<Decision> answer;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Look> looks = LookAtAll(Patience::kSpent);
    answer = AnswerIn(looks);
    if (answer) NoteWaits(*answer);
  }
  if (answer) Answer(*std::move(answer));
}

// Under the lock.
void Inquiry::NoteWaits(const Decision& decision) {
  // What nobody waits for takes nothing from those who do.
  if (answered_ || Allows(decision) || !IsAwaited()) return;
  for (const Waited& waited : waited_) {
    if (const auto slot = waited.slot.lock()) {
      slot->NoteWaitInVain(began_, engine_.Now(), waited.name);
    }
  }
}

void Inquiry::Answer(Decision decision) {
  if (answered_.exchange(true)) return;
  engine_.Release(shared_from_this());
  const Answered done = std::exchange(done_, nullptr);
  done(std::move(decision));
}

std::vector<Inquiry::Look> Inquiry::LookAtAll(Patience patience) {
  const std::shared_ptr<const ServiceSetup> setup = engine_.setup();
  const Result<TimePoint> now = engine_.clock().Now();
  // Without a clock that is believed, what is limited in time has ended.
  const TimePoint rules_at = now.value_or(TimePoint::max());
  std::vector<Look> looks;
  if (question_.of_member) {
    looks.push_back(LookAt(question_.of_member->applied, *setup, now, patience));
  } else if (std::holds_alternative<AnyNamespace>(question_.pod_namespace)) {
    for (const AppliedRule& applied : setup->policy().RulesFor(question_.reference, rules_at)) {
      looks.push_back(LookAt(applied, *setup, now, patience));
    }
  } else {
    const AppliedRule applied =
        setup->policy().RuleFor(question_.reference, question_.pod_namespace, rules_at);
    looks.push_back(LookAt(applied, *setup, now, patience));
  }
  return looks;
}

Inquiry::Look Inquiry::LookAt(const AppliedRule& applied, const ServiceSetup& setup,
                              const Result<TimePoint>& now, Patience patience) {
  Look look;
  const std::size_t members = std::max<std::size_t>(applied.collections.size(), 1);
  const bool all = applied.rule->combine == Combine::kAllOf && members > 1;
  if (all && !question_.of_member) return LookAtAllOf(applied, setup, now, patience);
  for (std::size_t member = 0; member < members; ++member) {
    if (question_.of_member && question_.of_member->index != member) continue;
    look.push_back(LookAt(applied, member, setup, now, patience, question_.named));
    // trust/RULES.md#several-trusts: what comes after the first that allows is not asked.
    const bool decides = applied.rule->combine == Combine::kAnyOf &&
                         std::all_of(look.begin(), look.end(), [](const MemberLook& one) {
                           return one.need == Need::kNothing;
                         });
    if (!decides || !Allows(look.back().decision)) continue;
    if (!question_.of_member) {
      look.back().decision.disagree = Disagreeing(look.back().decision, setup, now);
    }
    break;
  }
  return look;
}

// trust/RULES.md#several-trusts: told, and no veto. Which digest a tag is at a registry is nobody's
// signed word.
std::vector<MemberDigest> Inquiry::Disagreeing(const Decision& decided, const ServiceSetup& setup,
                                               const Result<TimePoint>& now) {
  std::vector<MemberDigest> others;
  const auto* allow = std::get_if<Allow>(&decided.verdict);
  if (question_.local || question_.reference.digest() || allow == nullptr || !allow->digest) {
    return others;
  }
  const std::vector<Member>& members = decided.applied.rule->members;
  for (std::size_t member = decided.member + 1; member < members.size(); ++member) {
    if (members[member].kind->asks() == Kind::Asks::kNames) continue;
    const MemberLook look =
        LookAt(decided.applied, member, setup, now, Patience::kSpent, std::nullopt);
    const auto* other = std::get_if<Allow>(&look.decision.verdict);
    if (other != nullptr && other->digest && *other->digest != *allow->digest) {
      others.push_back({member, *other->digest});
    }
  }
  return others;
}

// trust/RULES.md#several-trusts: members that sign tags are looked at first. Which digest they say
// that the tag is, the others are asked about; the registry's word is taken only where nobody signs
// one.
Inquiry::Look Inquiry::LookAtAllOf(const AppliedRule& applied, const ServiceSetup& setup,
                                   const Result<TimePoint>& now, Patience patience) {
  const std::vector<Member>& members = applied.rule->members;
  std::vector<std::optional<MemberLook>> looks(members.size());
  std::optional<Sha256Digest> named;
  bool may_come = false;
  const auto by_registry = [&](std::size_t member) {
    return members[member].kind->asks() == Kind::Asks::kNames;
  };
  for (std::size_t member = 0; member < members.size(); ++member) {
    if (by_registry(member)) continue;
    looks[member] = LookAt(applied, member, setup, now, patience, std::nullopt);
    if (looks[member]->need != Need::kNothing) may_come = true;
    const auto* allow = std::get_if<Allow>(&looks[member]->decision.verdict);
    if (allow != nullptr && !named) named = allow->digest;
  }
  for (std::size_t member = 0; member < members.size(); ++member) {
    if (!by_registry(member)) continue;
    looks[member] = LookAt(applied, member, setup, now, patience, named);
    if (may_come && looks[member]->need == Need::kName) looks[member]->need = Need::kNothing;
  }
  Look look;
  for (std::optional<MemberLook>& one : looks) look.push_back(*std::move(one));
  return look;
}

Inquiry::MemberLook Inquiry::LookAt(const AppliedRule& applied, std::size_t member,
                                    const ServiceSetup& setup, const Result<TimePoint>& believed,
                                    Patience patience,
                                    const std::optional<Sha256Digest>& named_digest) {
  const bool verifies = applied.rule->action == Action::kVerify;
  if (!verifies || !applied.collections[member]) {
    return {Decided(question_, applied, member, {}, believed.value_or(TimePoint::max())),
            Need::kNothing,
            {},
            {},
            {},
            {question_.reference},
            {}};
  }
  const Member& named = applied.rule->members[member];
  const CollectionId& collection = *applied.collections[member];
  MemberLook look{{Refusal(Reason::kNoTrustData, ""), applied, {}, member},
                  Need::kNothing,
                  engine_.Slot(collection),
                  setup.Server(named.trust),
                  {},
                  {applied.NameFor(member, question_.reference),
                   question_.local ? question_.local : named_digest},
                  {}};
  if (named.kind->asks() == Kind::Asks::kNames) {
    look.asked.confirmed_within = ConfirmedWithin(*applied.rule, question_.confirmed_within);
  }
  if (named.kind->asks() != Kind::Asks::kCollection) look.name = look.asked.Key();
  const bool from_pull = look.server && look.server->server.auth == TrustServer::Auth::kFromPull;
  if (from_pull) {
    const PullSecret secret = secret_.empty() ? look.slot->Kept(named.trust) : secret_;
    look.credentials = secret.For(*applied.rule, named, collection.name);
  }
  const bool reads_clock = named.demand->ReadsClock() || look.asked.confirmed_within.count() > 0;
  const Result<TimePoint> now = reads_clock ? believed : engine_.clock().Read().wall;
  const Known known = KnowledgeFor(look, named, now, patience, named_digest);
  if (now) {
    look.decision = Decided(question_, applied, member, known.seen.view, *now);
  } else {
    look.decision.verdict = Refusal(now.error().reason, now.error().detail);
  }
  if (patience == Patience::kLeft) look.need = NeedOf(look, known);
  if (now && look.need != Need::kLoad && patience == Patience::kLeft && !Allows(look.decision) &&
      LooksForFile(look, named, *now)) {
    look.need = Need::kFile;
  }
  return look;
}

Inquiry::Known Inquiry::KnowledgeFor(const MemberLook& look, const Member& named,
                                     const Result<TimePoint>& now, Patience patience,
                                     const std::optional<Sha256Digest>& named_digest) {
  const SinceBoot since_boot = engine_.clock().Read().seconds();
  const Kind::Asks asks = named.kind->asks();
  const FlightKey asker{named.trust, ClassOf(look.credentials), look.name};
  Known known{look.slot->See(asker, since_boot), asks, now, since_boot};
  look.slot->NoteDecision(since_boot);
  TrustView& view = known.seen.view;
  if (!known.seen.loaded) view = TrustView{};
  view.named = named_digest;
  view.name_here = question_.name_here;
  view.confirmed_within = question_.confirmed_within;
  const Way way{look.slot->id(), named.trust};
  if (const auto brought = brought_.find(way); brought != brought_.end()) {
    view.answer = brought->second.answer;
    if (brought->second.failure) view.failure = brought->second.failure;
  }
  const auto in_vain = in_vain_.find(way);
  if (!view.failure && in_vain != in_vain_.end()) view.failure = in_vain->second;
  if (!view.failure && patience == Patience::kSpent) view.failure = TimedOut();
  return known;
}

Inquiry::Need Inquiry::NeedOf(const MemberLook& look, const Known& known) const {
  if (!known.seen.loaded) return Need::kLoad;
  if (!look.server || question_.reach == Question::Reach::kOffline) return Need::kNothing;
  const Need of_all = NeedOfAll(look, known);
  return of_all != Need::kNothing ? of_all : NeedOfName(look, known);
}

// Precondition: it has a server.
Inquiry::Way Inquiry::WayOf(const MemberLook& look) {
  return {look.slot->id(), look.server->server.label};
}

// trust/RULES.md#asking-for-names
Inquiry::Need Inquiry::NeedOfName(const MemberLook& look, const Known& known) const {
  const bool already = asked_for_name_.contains(WayOf(look));
  if (already || known.asks == Kind::Asks::kCollection) return Need::kNothing;
  // Where only names are asked for, whoever insists insists on that.
  const bool insists =
      question_.reach == Question::Reach::kForce && known.asks == Kind::Asks::kNames;
  if (insists) return Need::kName;
  // trust/RULES.md#time: an answer may say that the clock is right.
  const bool wants_time = !known.now && known.asks == Kind::Asks::kNames;
  const bool asks = look.decision.asks || wants_time;
  return asks && known.seen.may_ask ? Need::kName : Need::kNothing;
}

// trust/RULES.md#freshness
Inquiry::Need Inquiry::NeedOfAll(const MemberLook& look, const Known& known) const {
  using Reach = Question::Reach;
  const RepositorySlot::Seen& seen = known.seen;
  const Result<TimePoint>& now = known.now;
  const bool already = refreshed_.contains(WayOf(look));
  if (already || known.asks == Kind::Asks::kNames) return Need::kNothing;
  if (question_.reach == Reach::kForce) return Need::kRefresh;
  if (!seen.may_refresh) return Need::kNothing;
  if (!now) return Need::kRefresh;

  const std::optional<std::chrono::seconds> age = AgeOf(seen, *now, known.since_boot);
  const bool stale = !age || *age > look.server->server.refresh_interval;
  if (stale) return Need::kRefresh;
  const std::optional<WhyRefused> why = RefusalOf(look.decision.verdict);
  if (!why) return Need::kNothing;
  // What it lacks the name's own refresh brings, or brought in vain a moment ago.
  if (look.decision.asks) return Need::kNothing;
  // What a set that was verified a moment ago does not have will not be there now either; but time
  // may have run out for it since, and other rules may read more of it.
  if (why->reason == Reason::kExpired || why->reason == Reason::kNoTrustData) {
    return Need::kRefresh;
  }
  return *age > kMissRemembered ? Need::kRefresh : Need::kNothing;
}

// Nothing where some look has to wait first. trust/RULES.md#namespaces: the first rule that vouches
// for the image answers; where none does, the most specific one says why.
std::optional<Decision> Inquiry::AnswerIn(std::vector<Look>& looks) const {
  std::optional<Decision> first;
  bool waits = false;
  for (Look& look : looks) {
    const bool settled = std::all_of(look.begin(), look.end(), [](const MemberLook& member) {
      return member.need == Need::kNothing;
    });
    if (!settled) {
      waits = true;
      continue;
    }
    std::vector<Decision> members;
    for (MemberLook& member : look) members.push_back(std::move(member.decision));
    Decision decision = Combined(std::move(members));
    if (Allows(decision)) return decision;
    if (!first && !waits) first = std::move(decision);
  }
  if (waits) return std::nullopt;
  return first;
}

std::chrono::milliseconds Inquiry::PatienceFor(const MemberLook& look) const {
  if (!look.server) return std::chrono::milliseconds{0};
  const std::chrono::milliseconds timeout = look.server->server.timeout;
  if (!IsAwaited()) return timeout * RefreshRunner::kBudgetInTimeouts;
  if (question_.reach == Question::Reach::kForce) return timeout;
  return look.slot->PatienceLeft(timeout, engine_.Now(), NameIn(look));
}

const std::string& Inquiry::NameIn(const MemberLook& look) const {
  static const std::string all;
  return look.need == Need::kName ? look.name : all;
}

// trust/RULES.md#files-of-another-trust
bool Inquiry::LooksForFile(MemberLook& look, const Member& named, TimePoint now) const {
  if (!named.demand->LacksFile(now)) return false;
  look.file = engine_.SupplierOf(named.trust);
  if (!look.file) return false;
  if (!look.file->slot->ground().loaded) return true;
  const bool may_ask = look.file->server && question_.reach != Question::Reach::kOffline;
  return may_ask && !refreshed_.contains({look.file->slot->id(), look.file->server->server.label});
}

bool Inquiry::WaitForFile(const MemberLook& look) {
  const std::shared_ptr<RepositorySlot>& slot = look.file->slot;
  if (engine_.AwaitLoad(slot, [self = shared_from_this()] { self->OnEnd(); })) return true;
  if (!look.file->server || question_.reach == Question::Reach::kOffline) return false;
  MemberLook whose = look;
  whose.need = Need::kRefresh;
  whose.slot = slot;
  whose.server = look.file->server;
  whose.credentials = nullptr;
  return WaitForRefresh(whose);
}

bool Inquiry::WaitForRefresh(const MemberLook& look) {
  const bool for_name = look.need == Need::kName;
  const ServiceEngine::Wanted wanted{
      look.slot,
      look.server,
      look.credentials,
      question_.reach == Question::Reach::kForce ? RepositorySlot::Insistence::kInsists
                                                 : RepositorySlot::Insistence::kNone,
      for_name ? std::optional(look.asked) : std::nullopt,
      IsAwaited() ? ServiceEngine::WaitedForBy::kPull : ServiceEngine::WaitedForBy::kNobody};
  const Way way = WayOf(look);
  (for_name ? asked_for_name_ : refreshed_).insert(way);
  if (std::shared_ptr<const RefreshFailure> silent = engine_.HeldBack(wanted)) {
    in_vain_.insert_or_assign(way, std::move(silent));
    return false;
  }
  // With no patience left it begins all the same: what it brings answers the next try.
  const bool patient = PatienceFor(look).count() > 0;
  RepositorySlot::Landed then = [](const Brought&) {};
  if (patient) {
    then = [self = shared_from_this(), way](const Brought& brought) {
      self->OnBrought(way, brought);
    };
  }
  if (engine_.AwaitRefresh(wanted, std::move(then)) && patient) {
    waited_.push_back({look.slot, NameIn(look)});
    return true;
  }
  in_vain_.insert_or_assign(way, TimedOut());
  return false;
}

// Whether it waits now. Where not, there is something new to look at.
bool Inquiry::WaitFor(std::vector<Look>& looks) {
  if (!kept_) {
    kept_ = true;
    began_ = engine_.Now();
    std::chrono::milliseconds patience{0};
    for (const Look& look : looks) {
      for (const MemberLook& member : look) patience = std::max(patience, PatienceFor(member));
    }
    engine_.Keep(shared_from_this(), began_ + patience + kForTheLastWord);
  }
  // One more than there will be, so that an end that comes early does not look too early.
  outstanding_ = 1;
  for (const Look& look : looks) {
    for (const MemberLook& member : look) {
      if (member.need == Need::kNothing) continue;
      ++outstanding_;
      const bool waits =
          member.need == Need::kLoad
              ? engine_.AwaitLoad(member.slot, [self = shared_from_this()] { self->OnEnd(); })
          : member.need == Need::kFile ? WaitForFile(member)
                                       : WaitForRefresh(member);
      if (!waits) --outstanding_;
    }
  }
  return --outstanding_ > 0;
}

// trust/RULES.md#files-that-change: before anything is called too old, or asked for.
bool Inquiry::WaitForChangedFiles() {
  if (std::exchange(asked_for_files_, true)) return false;
  return engine_.AwaitChangedFiles([self = shared_from_this()] { self->Advance(); });
}

void Inquiry::OnBrought(const Way& way, const Brought& brought) {
  if (brought.answer || brought.failure) {
    const std::lock_guard lock(mutex_);
    brought_.insert_or_assign(way, brought);
  }
  OnEnd();
}

void Inquiry::OnEnd() {
  if (--outstanding_ == 0) Advance();
}

}  // namespace crivet::trust
