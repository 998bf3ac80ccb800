// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/local_review.h"

#include <algorithm>
#include <future>
#include <utility>

#include "trust/decide/decide.h"
#include "trust/decide/kind.h"

namespace crivet::proxy {
namespace {

constexpr std::chrono::milliseconds kLookUp{50};

// Who may answer: what this node has, or the registry where that does not vouch for it.
enum class Reach : std::uint8_t { kHere, kOut };

bool AsksRegistries(const trust::Member& member) {
  return member.kind->asks() == trust::Kind::Asks::kNames;
}

bool AsksRegistries(const trust::AppliedRule& applied) {
  const std::vector<trust::Member>& members = applied.rule->members;
  return applied.rule->action == trust::Action::kVerify &&
         std::any_of(members.begin(), members.end(),
                     [](const trust::Member& member) { return AsksRegistries(member); });
}

bool Allows(const trust::Decision& decision) {
  return std::holds_alternative<trust::Allow>(decision.verdict);
}

// Nothing where it was ended.
std::optional<trust::Decision> Ask(trust::Question question, Reach reach,
                                   const LocalReviewCalls& calls) {
  question.reach = trust::Question::Reach::kOffline;
  auto decision = calls.ask(question);
  if (!decision || Allows(*decision) || reach == Reach::kHere) return decision;
  if (!calls.next_out()) return std::nullopt;
  question.reach = trust::Question::Reach::kRefresh;
  return calls.ask(std::move(question));
}

// When registries are asked again what they had (trust/registry_bound/RULES.md#confirmed); zero:
// never.
std::chrono::seconds ConfirmedAgainAfter(const trust::Rule& rule) {
  if (rule.confirmed_max_age.count() == 0) return rule.confirmed_max_age;
  return std::max(rule.confirmed_max_age / 3, std::chrono::seconds{1});
}

// Questions that have what is kept confirmed, before that counts no more.
using Confirmations = std::vector<trust::Question>;

// Whether it goes on. Precondition: that member vouches for it by what is here.
bool NoteWhereDue(trust::Question question, const LocalReviewCalls& calls, Confirmations& due) {
  const trust::Question::Member& of = question.of_member.value();
  const std::chrono::seconds after = ConfirmedAgainAfter(*of.applied.rule);
  if (after.count() == 0 || !AsksRegistries(of.applied.rule->members[of.index])) return true;
  question.confirmed_within = after;
  question.reach = trust::Question::Reach::kOffline;
  const auto decision = calls.ask(question);
  if (!decision) return false;
  question.reach = trust::Question::Reach::kRefresh;
  if (!Allows(*decision)) due.push_back(std::move(question));
  return true;
}

// What one rule says of one name.
struct Vouched {
  bool by_rule = true;
  bool by_every_member = true;
};

// Every member, for its own evidence: what another one says takes none away. Nothing where it was
// ended.
std::optional<Vouched> VouchesFor(const trust::AppliedRule& applied,
                                  const trust::ImageReference& reference,
                                  const trust::Sha256Digest& local, Reach reach,
                                  const LocalReviewCalls& calls, Confirmations& due) {
  std::vector<trust::Decision> members;
  Vouched vouched;
  for (std::size_t i = 0; i < applied.rule->members.size(); ++i) {
    trust::Question question{.reference = reference,
                             .local = local,
                             .name_here = trust::NameHere::kIsThis,
                             .credentials = std::nullopt,
                             .of_member = trust::Question::Member{applied, i}};
    auto decision = Ask(question, reach, calls);
    if (!decision) return std::nullopt;
    const bool may_be_due = reach == Reach::kHere && Allows(*decision);
    if (may_be_due && !NoteWhereDue(std::move(question), calls, due)) return std::nullopt;
    vouched.by_every_member = vouched.by_every_member && Allows(*decision);
    members.push_back(*std::move(decision));
  }
  vouched.by_rule = Allows(trust::Combined(std::move(members)));
  return vouched;
}

// What all rules that could apply say of one name.
struct NameVouched {
  bool by_any_rule = false;
  /// Whether nobody could add to the evidence of any rule.
  bool whole = true;
};

// As ImageStatus: by any digest that the name has here, under any rule that could apply.
std::optional<NameVouched> VouchesFor(const std::vector<trust::AppliedRule>& rules,
                                      const trust::ImageReference& reference,
                                      const NodeImage& image, Reach reach,
                                      const LocalReviewCalls& calls, Confirmations& due) {
  std::vector<trust::Sha256Digest> here = {image.target};
  here.insert(here.end(), image.equals.begin(), image.equals.end());
  NameVouched name;
  for (const trust::AppliedRule& applied : rules) {
    if (applied.rule->action == trust::Action::kAllow) name.by_any_rule = true;
    if (!AsksRegistries(applied)) continue;
    bool whole = false;
    for (const trust::Sha256Digest& digest : here) {
      const auto vouched = VouchesFor(applied, reference, digest, reach, calls, due);
      if (!vouched) return std::nullopt;
      name.by_any_rule = name.by_any_rule || vouched->by_rule;
      whole = vouched->by_every_member;
      if (vouched->by_rule) break;
    }
    name.whole = name.whole && whole;
  }
  return name;
}

void Add(const NodeImage& image, const std::vector<trust::AppliedRule>& rules,
         UnverifiedLocal& unverified) {
  ++unverified.count;
  if (unverified.first.size() < UnverifiedLocal::kNamed) unverified.first.push_back(image.name);
  for (const trust::AppliedRule& applied : rules) {
    for (const trust::Member& member : applied.rule->members) {
      if (AsksRegistries(member)) unverified.trusts.insert(member.trust);
    }
  }
}

bool AsksRegistries(const trust::Policy& policy) {
  const auto& rules = policy.rules();
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) {
    return AsksRegistries(trust::AppliedRule{rule, {}});
  });
}

}  // namespace

std::optional<UnverifiedLocal> LookAtLocal(const NodeInventory& inventory,
                                           const trust::Policy& policy,
                                           const LocalReviewCalls& calls) {
  struct Open {
    const NodeImage& image;
    trust::ImageReference reference;
    std::vector<trust::AppliedRule> rules;
  };
  std::vector<Open> open;
  Confirmations due;
  for (const NodeImage& image : inventory.names) {
    auto reference = trust::ImageReference::Parse(image.name);
    if (!reference || trust::IsImageId(image.name)) continue;
    auto rules = policy.RulesFor(*reference, trust::TimePoint::max());
    const bool asks = std::any_of(rules.begin(), rules.end(),
                                  [](const auto& applied) { return AsksRegistries(applied); });
    if (!asks) continue;
    const auto vouched = VouchesFor(rules, *reference, image, Reach::kHere, calls, due);
    if (!vouched) return std::nullopt;
    if (!vouched->whole) open.push_back({image, *std::move(reference), std::move(rules)});
  }
  UnverifiedLocal unverified;
  if (open.empty() && due.empty()) return unverified;
  if (!calls.go_out()) return std::nullopt;
  // What it says is of what is kept: it counts on for the rest of its time where nobody answers.
  for (trust::Question& question : due) {
    if (!calls.next_out() || !calls.ask(std::move(question))) return std::nullopt;
  }
  for (const Open& name : open) {
    const auto vouched =
        VouchesFor(name.rules, name.reference, name.image, Reach::kOut, calls, due);
    if (!vouched) return std::nullopt;
    if (!vouched->by_any_rule) Add(name.image, name.rules, unverified);
  }
  return unverified;
}

std::chrono::seconds HowOften(const trust::Policy& policy, std::chrono::seconds most) {
  // Whoever wants it more often than that would have nothing but looks.
  constexpr std::chrono::seconds kLeast = std::chrono::minutes{1};
  std::chrono::seconds often = most;
  for (const auto& rule : policy.rules()) {
    const std::chrono::seconds after = ConfirmedAgainAfter(*rule);
    if (after.count() > 0) often = std::min(often, std::max(after, kLeast));
  }
  return often;
}

LocalReview::LocalReview(Options options)
    : options_(std::move(options)), every_(options_.every), thread_([this] { Run(); }) {}

LocalReview::~LocalReview() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LocalReview::Again() {
  {
    const std::lock_guard lock(mutex_);
    again_ = true;
  }
  changed_.notify_all();
}

std::optional<UnverifiedLocal> LocalReview::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool LocalReview::Wait(Clock::duration time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopped_ || again_; });
}

void LocalReview::Run() {
  Clock::duration pause = options_.at_once;
  while (true) {
    const bool passed = Wait(pause);
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      again_ = false;
    }
    // What has just been changed may be changed again in a moment.
    pause = !passed ? options_.at_once : Look() ? every_ : options_.soon;
  }
}

bool LocalReview::Look() {
  const std::shared_ptr<const trust::Policy> policy = options_.policy();
  const auto most = std::chrono::ceil<std::chrono::seconds>(options_.every);
  every_ = std::min<Clock::duration>(options_.every, HowOften(*policy, most));
  std::optional<UnverifiedLocal> unverified = UnverifiedLocal{};
  if (AsksRegistries(*policy)) {
    const trust::Result<NodeInventory> inventory = options_.inventory();
    if (!inventory) return false;
    unverified =
        LookAtLocal(*inventory, *policy,
                    {.ask = [this](trust::Question question) { return Ask(std::move(question)); },
                     .go_out = [this] { return Wait(options_.soon); },
                     .next_out = [this] { return Wait(options_.between_questions); }});
  }
  if (!unverified) return false;
  const std::lock_guard lock(mutex_);
  last_ = std::move(unverified);
  return true;
}

std::optional<trust::Decision> LocalReview::Ask(trust::Question question) {
  const auto answer = std::make_shared<std::promise<trust::Decision>>();
  std::future<trust::Decision> coming = answer->get_future();
  options_.decide(std::move(question),
                  [answer](trust::Decision decision) { answer->set_value(std::move(decision)); });
  // Whoever ends the daemon does not wait for a registry.
  while (coming.wait_for(kLookUp) != std::future_status::ready) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return std::nullopt;
  }
  return coming.get();
}

}  // namespace crivet::proxy
